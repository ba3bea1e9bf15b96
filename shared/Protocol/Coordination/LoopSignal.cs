using MirrorController.Protocol.Seams;

namespace MirrorController.Protocol.Coordination;

/// <summary>Lets procedures wait on the loop: for a change of state, or for time to pass.</summary>
public sealed class LoopSignal(ILoop loop)
{
    private LoopCompletion<bool> _changed = new(loop);

    /// <summary>Wakes everyone who waits for a change; they look for themselves what it was.</summary>
    public void Pulse()
    {
        var changed = _changed;
        _changed = new LoopCompletion<bool>(loop);
        changed.Complete(true);
    }

    /// <summary>Waits for the next change.</summary>
    public Task ChangedAsync() => _changed.Task;

    /// <summary>Waits for a change or for time to pass, whichever comes first.</summary>
    public async Task ChangedOrAfterAsync(long delayMs)
    {
        var waited = new LoopCompletion<bool>(loop);
        var timer = loop.StartTimer(delayMs, () => waited.Complete(true));
        await Task.WhenAny(_changed.Task, waited.Task);
        timer.Cancel();
    }

    /// <summary>Waits for time to pass.</summary>
    public Task DelayAsync(long delayMs)
    {
        var waited = new LoopCompletion<bool>(loop);
        loop.StartTimer(delayMs, () => waited.Complete(true));
        return waited.Task;
    }
}
