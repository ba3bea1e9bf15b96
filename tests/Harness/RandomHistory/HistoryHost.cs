using MirrorController.Protocol.Coordination;
using MirrorController.Tests.Harness.Checker;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>A host of a random history, over all its lives.</summary>
internal sealed class HistoryHost(RandomHistory history, SimNode node)
{
    private RecoveryResult? _judged;

    public SimNode Node => node;

    public bool IsRunning => node.IsRunning;

    public Coordinator Coordinator => (Coordinator)node.Instance!;

    /// <summary>Gets the present life, or the last one.</summary>
    public CheckedSession Session { get; private set; } = null!;

    /// <summary>Gets whether the present life is of no more use: another one has the volume, or it was told to end.</summary>
    public bool IsOver => IsRunning && Coordinator.Phase is CoordinatorPhase.Fenced or CoordinatorPhase.Stopped;

    /// <summary>Gets or sets whether the operator has told the present life to end: it takes no more requests.</summary>
    public bool IsTold { get; set; }

    /// <summary>Gets or sets how many blocks the present life's recovery had to compare at most, as the boards' tables told while it ran; null before.</summary>
    public long? PlanMax { get; set; }

    /// <summary>Gets or sets the state in which the present life was seen last.</summary>
    public string? LastState { get; set; }

    public void Start()
    {
        LastState = null;
        PlanMax = null;
        history.HostsChange();
        IsTold = false;
        node.Start();
        Session = history.Checker.NewSession($"life {node.StartCount} of {node.Name}");
        _judged = null;
        var life = history.NextLife();
        for (var i = 0; i < history.Plan.Generators; i++)
        {
            new HistoryGenerator(history, this, life, i + 1).Start();
        }
    }

    public void PowerCut(bool silent)
    {
        Look();
        history.HostsChange();
        node.PowerCut(silent);
    }

    /// <summary>Tells the checker when the session is open: from then on writes are sent.</summary>
    public void Look()
    {
        if (IsRunning && !Coordinator.Session.IsNone
            && Coordinator.Phase is CoordinatorPhase.Recovering or CoordinatorPhase.Serving or CoordinatorPhase.Fenced)
        {
            history.Checker.Opened(Session, Coordinator.Session.Number);
        }
    }

    /// <summary>Gets a reconciliation that has ended since the last look.</summary>
    public RecoveryResult? NewRecovery()
    {
        var last = IsRunning && Coordinator.Phase == CoordinatorPhase.Serving ? Coordinator.LastRecovery : null;
        if (last is null || ReferenceEquals(last, _judged))
        {
            return null;
        }

        _judged = last;
        return last;
    }
}
