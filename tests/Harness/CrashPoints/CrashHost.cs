using MirrorController.Protocol.Coordination;
using MirrorController.Tests.Harness.Checker;

namespace MirrorController.Tests.Harness.CrashPoints;

/// <summary>A host of a story, over all its lives.</summary>
public sealed class CrashHost
{
    private readonly ConsistencyChecker _checker;

    internal CrashHost(ConsistencyChecker checker, SimNode node)
    {
        _checker = checker;
        Node = node;
    }

    public SimNode Node { get; }

    public bool IsRunning => Node.IsRunning;

    public Coordinator Coordinator => (Coordinator)Node.Instance!;

    /// <summary>Gets whether the present life is of no more use: another one has the volume, or it has ended.</summary>
    public bool IsOver => IsRunning && Coordinator.Phase is CoordinatorPhase.Fenced or CoordinatorPhase.Stopped;

    /// <summary>Gets whether the present life was asked to end.</summary>
    public bool IsStopping { get; private set; }

    /// <summary>Gets the present life, or the last one.</summary>
    internal CheckedSession Session { get; private set; } = null!;

    internal void Start()
    {
        IsStopping = false;
        Node.Start();
        Session = _checker.NewSession($"life {Node.StartCount} of {Node.Name}");
    }

    /// <summary>Asks it to end cleanly.</summary>
    internal void Stop(long boundMs)
    {
        IsStopping = true;
        var coordinator = Coordinator;
        Node.Post(() =>
        {
            Look();
            _ = coordinator.StopAsync(boundMs);
        });
    }

    /// <summary>Tells the checker when the session is open: from then on writes are sent.</summary>
    internal void Look()
    {
        if (IsRunning && !Coordinator.Session.IsNone
            && Coordinator.Phase is CoordinatorPhase.Recovering or CoordinatorPhase.Serving or CoordinatorPhase.Fenced)
        {
            _checker.Opened(Session, Coordinator.Session.Number);
        }
    }
}
