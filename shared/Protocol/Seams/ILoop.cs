namespace MirrorController.Protocol.Seams;

/// <summary>The single-threaded event loop on which a node lives: its only clock, its only scheduler.</summary>
/// <remarks>
/// A turn of a loop: take in what the connections received, run what was posted (also what that posts), run the timers
/// that are due, then send what every connection has queued. So everything that arrives in one turn can share one
/// commit: whoever posts from a handler runs after all handlers of the turn and before anything is sent.
/// While the loop runs it is the current <see cref="SynchronizationContext"/>; continuations of <c>async</c> procedures
/// come back through <see cref="Post"/>.
/// </remarks>
public interface ILoop
{
    /// <summary>Gets the monotonic time in microseconds since an origin that means nothing.</summary>
    long NowMicros { get; }

    /// <summary>Queues an action; it never runs inside this call.</summary>
    /// <remarks>The only member that other threads may call.</remarks>
    void Post(Action action);

    /// <summary>Runs an action once, after at least <paramref name="delayMs"/> milliseconds.</summary>
    ILoopTimer StartTimer(long delayMs, Action action);
}

/// <summary>A timer that has been started.</summary>
public interface ILoopTimer
{
    /// <summary>Stops the timer; its action will not run any more. Harmless after it has run.</summary>
    void Cancel();
}
