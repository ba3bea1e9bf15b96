using MirrorController.Protocol.Seams;

namespace MirrorController.Firmware.Array;

/// <summary>Lets a procedure await the end of an operation; its continuation comes through the loop's queue.</summary>
internal sealed class AsyncCompletion : ICompletion
{
    private readonly TaskCompletionSource<IoStatus> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<IoStatus> Task => _source.Task;

    public void Completed(IoStatus status) => _source.SetResult(status);
}
