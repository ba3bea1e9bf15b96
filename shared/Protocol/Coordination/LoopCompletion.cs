using MirrorController.Protocol.Seams;

namespace MirrorController.Protocol.Coordination;

/// <summary>The end of something that a procedure awaits; the procedure goes on from the loop's queue, never inside the call that ended it.</summary>
/// <remarks>
/// Not by <see cref="TaskCreationOptions.RunContinuationsAsynchronously"/>: what combines tasks (WhenAll, WhenAny) would then
/// run on the thread pool, outside the loop.
/// </remarks>
public sealed class LoopCompletion<T>(ILoop loop)
{
    private readonly TaskCompletionSource<T> _source = new();

    /// <summary>Gets what to await.</summary>
    public Task<T> Task => _source.Task;

    /// <summary>Ends it; a second call does nothing.</summary>
    public void Complete(T result) => loop.Post(() => _source.TrySetResult(result));
}
