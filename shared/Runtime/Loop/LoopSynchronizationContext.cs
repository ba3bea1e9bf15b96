namespace MirrorController.Runtime;

/// <summary>Brings the continuations of <c>async</c> procedures back to their loop.</summary>
internal sealed class LoopSynchronizationContext(RuntimeLoop loop) : SynchronizationContext
{
    public override void Post(SendOrPostCallback d, object? state) => loop.Post(d, state);

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("A node's loop is never waited for.");

    public override SynchronizationContext CreateCopy() => this;
}
