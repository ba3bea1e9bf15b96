using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Coordination;
using MirrorController.Tests.Harness.Checker;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>A host of a random history, over all its lives.</summary>
/// <param name="history">Where it is.</param>
/// <param name="node">Where it runs.</param>
/// <param name="serves">Whether applications use it; false for an operator who only reconciles.</param>
internal sealed class HistoryHost(RandomHistory history, SimNode node, bool serves = true)
{
    private readonly HashSet<long> _bad = [];
    private RecoveryResult? _judged;
    private long _startedMicros;

    public SimNode Node => node;

    public bool IsRunning => node.IsRunning;

    public Coordinator Coordinator => (Coordinator)node.Instance!;

    /// <summary>Gets the present life, or the last one.</summary>
    public CheckedSession Session { get; private set; } = null!;

    /// <summary>Gets whether the present life is of no more use: another one has the volume, or it was told to end.</summary>
    public bool IsOver => IsRunning && Coordinator.Phase is CoordinatorPhase.Fenced or CoordinatorPhase.Stopped;

    /// <summary>Gets or sets whether the operator has told the present life to end: it takes no more requests.</summary>
    public bool IsTold { get; set; }

    /// <summary>Gets or sets whether another host was there in the present life, or so short before that what it sent may still be on its way.</summary>
    public bool HasMetAnother { get; set; }

    /// <summary>Gets or sets how many blocks the present life's recovery had to compare at most, as the boards' tables told while it ran; null before.</summary>
    public long? PlanMax { get; set; }

    /// <summary>Gets or sets the state in which the present life was seen last.</summary>
    public string? LastState { get; set; }

    public void Start()
    {
        LastState = null;
        PlanMax = null;
        _bad.Clear();
        _startedMicros = history.World.NowMicros;
        history.HostsChange();
        IsTold = false;
        history.Meets(this);
        node.Start();
        node.Loop!.HasTakenIn = history.LookAtRecoveries;
        Session = history.Checker.NewSession($"life {node.StartCount} of {node.Name}");
        _judged = null;
        if (serves)
        {
            var life = history.NextLife();
            for (var i = 0; i < history.Plan.Generators; i++)
            {
                new HistoryGenerator(history, this, life, i + 1).Start();
            }
        }
    }

    public void PowerCut(bool silent)
    {
        Look();
        history.HostsChange();
        if (IsOver && !node.Loop!.IsPaused && history.OpenOf(node.Loop) is > 0 and var open)
        {
            throw new ConsistencyViolationException($"{Session.Name} is {Coordinator.Phase}, but {open} requests have not been answered.");
        }

        if (IsRunning)
        {
            history.LastHostEndMicros = history.World.NowMicros;
        }

        node.PowerCut(silent);
    }

    /// <summary>Tells the checker when the session is open: from then on writes are sent.</summary>
    public void Look()
    {
        if (!IsRunning)
        {
            return;
        }

        if (!Coordinator.Session.IsNone
            && Coordinator.Phase is CoordinatorPhase.Recovering or CoordinatorPhase.Serving or CoordinatorPhase.Fenced)
        {
            history.Checker.Opened(Session, Coordinator.Session.Number);
        }

        if (Coordinator.Phase == CoordinatorPhase.Fenced && !HasMetAnother)
        {
            throw new ConsistencyViolationException($"Rule O2: {Session.Name} is fenced, but no other host was there.");
        }
    }

    /// <summary>Looks which blocks it says no board can read: each of them must have been asked for, everywhere.</summary>
    public void JudgeBad()
    {
        if (!IsRunning || Coordinator.SizeBytes == 0)
        {
            return;
        }

        var now = BlocksOf(Coordinator.Describe().BadRanges).ToHashSet();
        foreach (var block in now.Where(b => !_bad.Contains(b)))
        {
            if (!history.HaveAllFailedToRead(block * history.Plan.BlockBytes, history.Plan.BlockBytes, _startedMicros))
            {
                throw new ConsistencyViolationException($"Rule R2: {Session.Name} holds that no board can read block {block}, but not all have tried and failed.");
            }
        }

        _bad.Clear();
        _bad.UnionWith(now);
    }

    /// <summary>Tells whether it says of some block of a range that no board can read it.</summary>
    public bool IsBad(long offsetBytes, long lengthBytes)
    {
        var (first, last) = (offsetBytes / history.Plan.BlockBytes, (offsetBytes + lengthBytes - 1) / history.Plan.BlockBytes);
        return IsRunning && BlocksOf(Coordinator.Describe().BadRanges).Any(b => b >= first && b <= last);
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

    private static IEnumerable<long> BlocksOf(IReadOnlyList<BlockRange> ranges) =>
        ranges.SelectMany(r => Enumerable.Range(0, r.Count).Select(i => r.Start + i));
}
