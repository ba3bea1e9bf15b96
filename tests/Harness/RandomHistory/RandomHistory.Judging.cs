using MirrorController.Protocol.Coordination;
using MirrorController.Tests.Harness.Checker;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <content>What is judged, and when.</content>
public sealed partial class RandomHistory
{
    private void Judge(HistoryHost host)
    {
        LookAtHosts();
        Cluster.AssertMirrorsEqual();
        foreach (var board in Cluster.Boards)
        {
            Checker.JudgeBoard(board.Name, 0, board.Disk.Peek(DataOffset, (int)Plan.SizeBytes));
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
        if (request.Error != Protocol.Seams.VolumeError.None)
        {
            throw new ConsistencyViolationException($"A flush after the recovery ended with {request.Error}.");
        }

        Checker.Complete(flush);
    }

    private void Look()
    {
        LookAtHosts();
        foreach (var host in HostsAndAuthority)
        {
            host.JudgeBad();
            if (host.IsRunning)
            {
                var state = host.IsOver ? host.Coordinator.Phase.ToString() : host.Coordinator.Describe().State.ToString();
                _states[state] = _states.GetValueOrDefault(state) + 1;
                if (host.LastState is { } before && before != state)
                {
                    var change = $"{before} -> {state}";
                    _transitions[change] = _transitions.GetValueOrDefault(change) + 1;
                }

                host.LastState = state;
            }

            if (host.NewRecovery() is { } recovery)
            {
                JudgeRecovery(host, recovery);
            }
        }

        _promises.Look();
        JudgeUntold();
        NoteDirty();
        World.ScheduleIn(LookMicros, Look);
    }

    /// <summary>Counts at the begin of a recovery what it has to compare at most: its boards empty their tables before it has ended.</summary>
    internal void LookAtRecoveries()
    {
        foreach (var host in HostsAndAuthority)
        {
            if (host.IsRunning && host.PlanMax is null && host.Coordinator.Phase == CoordinatorPhase.Recovering)
            {
                host.PlanMax = CountUnretired(host.Coordinator.Session.Number);
            }
        }
    }

    private void JudgeRecovery(HistoryHost host, RecoveryResult recovery)
    {
        Recoveries++;
        _promises.Recovered(host.Session, recovery);
        CopiedBytes += recovery.CopiedBytes;
        var dirty = new HashSet<long>();
        _dirty.ForEach(d => dirty.UnionWith(BlocksOf(d.OffsetBytes, d.LengthBytes)));
        // Rule 6: no more than what was in flight: the blocks of entries not yet retired, and of marks.
        if (recovery.PlannedBlocks > dirty.Count || recovery.CopiedBytes > recovery.Attempts * (Plan.Boards - 1) * dirty.Count * (long)Plan.BlockBytes)
        {
            throw new ConsistencyViolationException(
                $"Rule 6: {host.Session.Name} compared {recovery.PlannedBlocks} blocks and copied {recovery.CopiedBytes} bytes, but only {dirty.Count} blocks were in flight.");
        }

        if (recovery.Attempts == 1 && recovery.PlannedBlocks > host.PlanMax)
        {
            throw new ConsistencyViolationException(
                $"Rule 6: {host.Session.Name} compared {recovery.PlannedBlocks} blocks, but only {host.PlanMax} have an entry that is not retired everywhere, or a mark.");
        }

        // Whatever an earlier life had in flight has come to an end now, one way or the other.
        _unanswered.RemoveWhere(w => w.Session!.Number < host.Session.Number && !HostsAndAuthority.Any(h => h.IsRunning && h.Session == w.Session));
        if (AreBoardsQuiet())
        {
            JudgeEqual(host);
            // From now on it is durable on all boards, whoever reads it or not.
            if (!Plan.ReadsFail)
            {
                Checker.PinFound(host.Session, Cluster.Boards[0].Disk.Peek(DataOffset, (int)Plan.SizeBytes));
            }
        }
    }

    /// <summary>Rule 1, for all blocks that no write in flight covers.</summary>
    private void JudgeEqual(HistoryHost host)
    {
        var disks = Cluster.Boards.ConvertAll(b => b.Disk.Peek(DataOffset, (int)Plan.SizeBytes));
        var busy = new HashSet<long>();
        foreach (var write in _unanswered)
        {
            busy.UnionWith(BlocksOf(write.OffsetBytes, write.LengthBytes));
        }

        foreach (var bad in host.Coordinator.Describe().BadRanges)
        {
            // Nobody can read them, so nobody can make them equal; they keep their marks.
            busy.UnionWith(BlocksOf(bad.Start * Plan.BlockBytes, bad.Count * Plan.BlockBytes));
        }

        for (var block = 0; block < Plan.Blocks; block++)
        {
            var at = block * Plan.BlockBytes;
            for (var b = 1; b < disks.Count && !busy.Contains(block); b++)
            {
                if (!disks[0].AsSpan(at, Plan.BlockBytes).SequenceEqual(disks[b].AsSpan(at, Plan.BlockBytes)))
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

    /// <summary>Counts the blocks of older sessions' entries above the highest R of all boards, and of marks (R1); null where that cannot be told now.</summary>
    private long? CountUnretired(uint session)
    {
        if (!AreBoardsQuiet() || HostsAndAuthority.Count(h => h.IsRunning) != 1)
        {
            return null;
        }

        var tables = Enumerable.Range(0, Cluster.Boards.Count).Select(i => Cluster.Board(i).Table!).ToList();
        var retired = tables.Select(t => t.Retired).Max();
        if (retired.Session >= session)
        {
            // The recovery ends just now: what it compared is gone from some tables.
            return null;
        }

        var blocks = new HashSet<long>();
        foreach (var table in tables)
        {
            for (var e = 0; e < table.Table.Count; e++)
            {
                if (table.Table[e].Tag > retired && table.Table[e].Tag.Session < session)
                {
                    blocks.UnionWith(BlocksOf(table.Table[e].Range.Start * Plan.BlockBytes, table.Table[e].Range.Count * Plan.BlockBytes));
                }
            }

            foreach (var mark in table.Marks)
            {
                blocks.UnionWith(BlocksOf(mark.Range.Start * Plan.BlockBytes, mark.Range.Count * Plan.BlockBytes));
            }
        }

        return blocks.Count;
    }

    /// <summary>What is dirty, seen whenever all boards can be looked into: their entries and marks, and what is unanswered.</summary>
    private void NoteDirty()
    {
        // While a recovery runs, its boards empty their tables before it has ended and is judged.
        var living = HostsAndAuthority.Where(h => h.IsRunning).ToList();
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
                _dirty.Add((range.Start * Plan.BlockBytes, range.Count * Plan.BlockBytes));
            }

            foreach (var mark in table.Marks)
            {
                _dirty.Add((mark.Range.Start * Plan.BlockBytes, mark.Range.Count * Plan.BlockBytes));
            }
        }

        foreach (var write in _unanswered)
        {
            _dirty.Add((write.OffsetBytes, write.LengthBytes));
        }
    }

    private IEnumerable<long> BlocksOf(long offsetBytes, long lengthBytes)
    {
        for (var block = offsetBytes / Plan.BlockBytes; block * Plan.BlockBytes < offsetBytes + lengthBytes; block++)
        {
            yield return block;
        }
    }
}
