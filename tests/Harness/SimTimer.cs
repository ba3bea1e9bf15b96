using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>A timer of a simulated loop.</summary>
internal sealed class SimTimer(Action action) : ILoopTimer
{
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
