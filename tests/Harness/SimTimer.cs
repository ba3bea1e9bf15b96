using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>A timer of a simulated loop.</summary>
/// <param name="action">What it does.</param>
/// <param name="dueMicros">When, by the node's own clock.</param>
internal sealed class SimTimer(Action action, long dueMicros) : ILoopTimer
{
    public long DueMicros => dueMicros;

    /// <summary>Gets or sets whether its time has come and it waits for its turn.</summary>
    public bool IsDue { get; set; }

    public bool IsOver { get; private set; }

    public void Cancel() => IsOver = true;

    public void Run()
    {
        if (!IsOver)
        {
            IsOver = true;
            action();
        }
    }
}
