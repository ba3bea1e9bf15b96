using MirrorController.Protocol.Seams;

namespace MirrorController.HostAgent.Control;

/// <summary>Calls from other threads into a loop.</summary>
internal static class LoopCalls
{
    /// <summary>Runs a procedure on the loop and gives its outcome, or its exception, to the caller.</summary>
    public static Task<T> AskAsync<T>(this ILoop loop, Func<Task<T>> procedure)
    {
        var outcome = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(() => Run());
        return outcome.Task;

        async void Run()
        {
            try
            {
                outcome.SetResult(await procedure());
            }
            catch (Exception e)
            {
                outcome.SetException(e);
            }
        }
    }
}
