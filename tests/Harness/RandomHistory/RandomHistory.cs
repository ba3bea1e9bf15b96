using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness.Checker;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>One seed, one history: applications, faults, and at the end everything must heal and be right.</summary>
public sealed class RandomHistory
{
    private const long LookMicros = 5000;
    private const long HealMaxMs = 300_000;
    private const long PollMs = 20;
    private const long SilenceMs = BoardLink.SilenceMaxMs + (2 * BoardLink.PingEveryMs);

    private readonly Dictionary<SimRequest, string> _open = [];
    private readonly HashSet<CheckedWrite> _unanswered = [];
    private readonly HashSet<long> _dirty = [];
    private readonly HistoryFaults _faults;
    private readonly HistoryPromises _promises;
    private readonly Dictionary<string, int> _states = new(StringComparer.Ordinal);

    private RandomHistory(ulong seed, int? boards)
    {
        Plan = new HistoryPlan(seed, boards);
        World = new SimWorld(seed, Plan.World);
        World.Note(Plan.ToString());
        Cluster = new SimCluster(World, Plan.Boards, Plan.SizeBytes, Plan.Apply, Plan.IsEeprom, Plan.ChipBytes);
        Hosts.Add(new HistoryHost(this, Cluster.Host));
        Hosts.Add(new HistoryHost(this, Cluster.AddHost("host-2")));
        _faults = new HistoryFaults(this);
        _promises = new HistoryPromises(this);
    }

    public HistoryPlan Plan { get; }

    public SimWorld World { get; }

    public SimCluster Cluster { get; }

    public ConsistencyChecker Checker { get; } = new();

    /// <summary>Gets how many writes were acknowledged.</summary>
    public int AcknowledgedWrites { get; private set; }

    internal List<HistoryHost> Hosts { get; } = [];

    /// <summary>Gets whether the applications and the faults have ended.</summary>
    internal bool IsEnding { get; private set; }

    /// <summary>Gets how many reconciliations were judged.</summary>
    public int Recoveries { get; private set; }

    /// <summary>Gets how much they copied.</summary>
    public long CopiedBytes { get; private set; }

    /// <summary>Gets how often each kind of fault was let loose.</summary>
    public IReadOnlyDictionary<HistoryFault, int> FaultCounts => _faults.Counts;

    /// <summary>Gets in how many looks each state of the volume was seen.</summary>
    public IReadOnlyDictionary<string, int> StatesSeen => _states;

    /// <summary>Runs the history of a seed.</summary>
    /// <param name="seed">Decides everything.</param>
    /// <param name="boards">How many boards; null: what the seed draws.</param>
    /// <exception cref="HistoryFailedException">A rule was broken, a node ended by itself, or something did not finish.</exception>
    public static RandomHistory Run(ulong seed, int? boards = null)
    {
        var history = new RandomHistory(seed, boards);
        try
        {
            history.Run();
        }
        catch (Exception e)
        {
            throw new HistoryFailedException(history, e);
        }

        return history;
    }

    internal void Issued(CheckedWrite write)
    {
        _unanswered.Add(write);
        AddBlocks(write.OffsetBytes, write.LengthBytes);
        _promises.Issued(write);
    }

    internal void Ended(CheckedWrite write)
    {
        _unanswered.Remove(write);
        AcknowledgedWrites++;
        _promises.Acknowledged(write);
    }

    internal void Flushed(CheckedFlush flush)
    {
        Checker.Complete(flush);
        _promises.Flushed(flush);
    }

    internal void Open(SimRequest request, string what) => _open.Add(request, what);

    internal void Closed(SimRequest request) => _open.Remove(request);

    internal void LookAtHosts() => Hosts.ForEach(h => h.Look());

    /// <summary>Lets a host serve if none does.</summary>
    internal void StartAHost()
    {
        if (IsEnding)
        {
            return;
        }

        foreach (var host in Hosts.Where(h => h.IsFenced))
        {
            host.PowerCut(silent: false);
        }

        if (!Hosts.Exists(h => h.IsRunning))
        {
            _open.Clear();
            Hosts[World.Random.Below(Hosts.Count)].Start();
        }
    }

    /// <summary>Another host opens the volume; the old one still lives and is to find itself fenced.</summary>
    internal void ReplaceHost()
    {
        foreach (var host in Hosts.Where(h => h.IsFenced))
        {
            host.PowerCut(silent: false);
        }

        if (Hosts.Find(h => !h.IsRunning) is { } other)
        {
            other.Start();
        }
    }

    private void Run()
    {
        Cluster.Boards.ForEach(b => b.Start());
        Cluster.CreateVolume();
        _promises.Begin();
        Hosts[0].Start();
        World.RunUntil(() => Hosts[0].Coordinator.Phase == CoordinatorPhase.Serving, HealMaxMs);
        Look();
        _faults.Start();
        World.RunFor(Plan.DurationMs);
        IsEnding = true;
        Heal();
        _promises.JudgeRoom();
        CutOnceMore();
    }

    /// <summary>Rule 9: once faults stop, everything finishes. Then all mirrors are equal and right.</summary>
    private void Heal()
    {
        World.Note("all faults end");
        _faults.EndAll();
        var (living, spare) = (Hosts[0], Hosts[1]);
        if (spare.IsRunning && (!living.IsRunning || living.IsFenced))
        {
            (living, spare) = (spare, living);
        }

        spare.PowerCut(silent: false);
        if (living.IsFenced)
        {
            living.PowerCut(silent: false);
        }

        if (!living.IsRunning)
        {
            living.Start();
        }

        // Until a link has been silent for its time, the host does not know that a board had lost its power.
        World.RunFor(SilenceMs);
        var end = World.NowMicros + (HealMaxMs * 1000);
        while (living.Coordinator.Describe().State != VolumeState.InSync || _open.Keys.Any(r => r.Owner == living.Node.Loop))
        {
            if (living.IsFenced)
            {
                // It met another one's opening and hears of it only now; the operator starts it again.
                living.PowerCut(silent: false);
                living.Start();
            }

            if (World.NowMicros > end)
            {
                var status = living.Coordinator.Describe();
                var requests = string.Join(", ", _open.Where(r => r.Key.Owner == living.Node.Loop).Select(r => r.Value));
                throw new ConsistencyViolationException(
                    $"Rule 9: {living.Session.Name} has not healed within {HealMaxMs} ms. It is {status.State}, waits for: {status.WaitingFor}. Open requests: {requests}.");
            }

            World.RunFor(PollMs);
        }

        World.Note("everything has healed");
        World.RunFor(2000);
        Judge(living);
    }

    /// <summary>After the last flush the power goes everywhere: what is flushed is there again.</summary>
    private void CutOnceMore()
    {
        var host = Hosts.Single(h => h.IsRunning);
        host.PowerCut(silent: false);
        Cluster.Boards.ForEach(b => b.PowerCut(World.Random.OneIn(2)));
        Cluster.Boards.ForEach(b => b.Start());
        host.Start();
        World.RunUntil(() => host.Coordinator.Phase == CoordinatorPhase.Serving, HealMaxMs);
        World.RunFor(PollMs);
        Judge(host);
    }

    private void Judge(HistoryHost host)
    {
        LookAtHosts();
        Cluster.AssertMirrorsEqual();
        foreach (var board in Cluster.Boards)
        {
            Checker.JudgeBoard(board.Name, 0, board.Disk.Peek(Cluster.DataOffset, (int)Plan.SizeBytes));
            if (board.Disk.OverlapCount > 0)
            {
                throw new ConsistencyViolationException($"Rule W4: {board.Name} had {board.Disk.OverlapCount} overlapping disk operations in flight.");
            }
        }

        Checker.JudgeFound();
        var flush = Checker.Flush(host.Session);
        var request = new SimRequest();
        host.Node.Post(() => host.Coordinator.Flush(request));
        World.RunUntil(() => request.IsDone, HealMaxMs);
        if (request.Error == Protocol.Seams.VolumeError.None)
        {
            Checker.Complete(flush);
        }
    }

    private void Look()
    {
        LookAtHosts();
        foreach (var host in Hosts)
        {
            if (host.IsRunning)
            {
                var state = host.IsFenced ? "Fenced" : host.Coordinator.Describe().State.ToString();
                _states[state] = _states.GetValueOrDefault(state) + 1;
            }

            if (host.NewRecovery() is { } recovery)
            {
                JudgeRecovery(host, recovery);
            }
        }

        NoteDirty();
        World.ScheduleIn(LookMicros, Look);
    }

    private void JudgeRecovery(HistoryHost host, RecoveryResult recovery)
    {
        Recoveries++;
        _promises.Recovered(host.Session, recovery);
        CopiedBytes += recovery.CopiedBytes;
        // Rule 6: no more than what was in flight: the blocks of entries not yet retired, and of marks.
        if (recovery.PlannedBlocks > _dirty.Count || recovery.CopiedBytes > recovery.Attempts * (Plan.Boards - 1) * _dirty.Count * (long)SimCluster.BlockBytes)
        {
            throw new ConsistencyViolationException(
                $"Rule 6: {host.Session.Name} compared {recovery.PlannedBlocks} blocks and copied {recovery.CopiedBytes} bytes, but only {_dirty.Count} blocks were in flight.");
        }

        if (AreBoardsQuiet())
        {
            JudgeEqual();
        }
    }

    /// <summary>Rule 1, for all blocks that no write in flight covers.</summary>
    private void JudgeEqual()
    {
        var disks = Cluster.Boards.ConvertAll(b => b.Disk.Peek(Cluster.DataOffset, (int)Plan.SizeBytes));
        var busy = new HashSet<long>();
        foreach (var write in _unanswered)
        {
            busy.UnionWith(BlocksOf(write.OffsetBytes, write.LengthBytes));
        }

        for (var block = 0; block < Plan.Blocks; block++)
        {
            var at = block * SimCluster.BlockBytes;
            for (var b = 1; b < disks.Count && !busy.Contains(block); b++)
            {
                if (!disks[0].AsSpan(at, SimCluster.BlockBytes).SequenceEqual(disks[b].AsSpan(at, SimCluster.BlockBytes)))
                {
                    throw new ConsistencyViolationException(
                        $"Rule 1: after the recovery block {block} of {Cluster.Boards[0].Name} and {Cluster.Boards[b].Name} differ.");
                }
            }
        }
    }

    private bool AreBoardsQuiet()
    {
        for (var i = 0; i < Cluster.Boards.Count; i++)
        {
            if (!Cluster.Boards[i].IsRunning || Cluster.Boards[i].Instance is null || !Cluster.Board(i).Describe().ReplayDone)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>What is dirty, seen whenever all boards can be looked into: their entries and marks, and what is unanswered.</summary>
    private void NoteDirty()
    {
        // While a recovery runs, its boards empty their tables before it has ended and is judged.
        var living = Hosts.FindAll(h => h.IsRunning);
        if (living.Count != 1 || living[0].Coordinator.Phase != CoordinatorPhase.Serving || !AreBoardsQuiet())
        {
            return;
        }

        _dirty.Clear();
        for (var i = 0; i < Cluster.Boards.Count; i++)
        {
            var table = Cluster.Board(i).Table!;
            for (var e = 0; e < table.Table.Count; e++)
            {
                var range = table.Table[e].Range;
                AddBlocks(range.Start * SimCluster.BlockBytes, range.Count * SimCluster.BlockBytes);
            }

            foreach (var mark in table.Marks)
            {
                AddBlocks(mark.Range.Start * SimCluster.BlockBytes, mark.Range.Count * SimCluster.BlockBytes);
            }
        }

        foreach (var write in _unanswered)
        {
            AddBlocks(write.OffsetBytes, write.LengthBytes);
        }
    }

    private void AddBlocks(long offsetBytes, int lengthBytes) => _dirty.UnionWith(BlocksOf(offsetBytes, lengthBytes));

    private static IEnumerable<long> BlocksOf(long offsetBytes, int lengthBytes)
    {
        for (var block = offsetBytes / SimCluster.BlockBytes; block * SimCluster.BlockBytes < offsetBytes + lengthBytes; block++)
        {
            yield return block;
        }
    }
}
