using MirrorController.Protocol.Coordination;
using MirrorController.Tests.Harness.Checker;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>Looks whether what was promised is there at the moment of the promise, on every board by itself: a good board must not hide what another one lost.</summary>
internal sealed class HistoryPromises(RandomHistory history)
{
    private const int LooksBetween = 8;

    private readonly Dictionary<CheckedWrite, ulong[]> _boots = [];
    private readonly Dictionary<CheckedSession, long> _judgedBefore = [];
    private int _looks;

    /// <summary>A write was issued: remembers which boards run, and in which life.</summary>
    public void Issued(CheckedWrite write)
    {
        if (history.Hosts.Find(h => h.Session == write.Session) is { IsRunning: true, Coordinator.Phase: CoordinatorPhase.Serving })
        {
            _boots.Add(write, Boots());
        }
    }

    /// <summary>A write was acknowledged: a FUA write is durable now, on every board (W5).</summary>
    public void Acknowledged(CheckedWrite write)
    {
        if (write.Fua)
        {
            JudgeMedia(write);
        }
    }

    /// <summary>A flush was answered: what had been acknowledged before it is durable now, on every board (D3).</summary>
    public void Flushed(CheckedFlush flush)
    {
        var judged = _judgedBefore.GetValueOrDefault(flush.Session);
        foreach (var write in history.Checker.AcknowledgedBetween(flush.Session, judged, flush.Issued))
        {
            JudgeMedia(write);
        }

        _judgedBefore[flush.Session] = Math.Max(judged, flush.Issued);
    }

    /// <summary>A recovery has ended: what the session before had acknowledged is kept if one board has gone on running since before the write was issued.</summary>
    /// <remarks>
    /// A host that dies alone loses nothing acknowledged. Only where nothing else came between: no board that could not read,
    /// no second attempt, no session that died before its own recovery had ended.
    /// </remarks>
    public void Recovered(CheckedSession session, RecoveryResult recovery)
    {
        if (session.Previous is not { } previous || history.Plan.ReadsFail || recovery.Attempts > 1)
        {
            return;
        }

        var now = Boots();
        foreach (var write in history.Checker.AcknowledgedBetween(previous, 0, long.MaxValue))
        {
            if (_boots.TryGetValue(write, out var then) && then.Zip(now).Any(b => b.First != 0 && b.First == b.Second))
            {
                history.Checker.Keep(write);
            }
        }
    }

    /// <summary>Looks now and then whether a power cut of any board would take away what was promised, whatever runs just now.</summary>
    public void Look()
    {
        if (++_looks % LooksBetween != 0)
        {
            return;
        }

        var first = history.DataOffset / SimDiskMedia.SectorBytes;
        foreach (var board in history.Cluster.Boards.Where(b => !history.HasOldImage(b)))
        {
            foreach (var sector in board.Disk.Unsynced.Where(s => s >= first))
            {
                history.Checker.JudgeRemains(board.Name, sector - first, board.Disk.Remains(sector));
            }
        }
    }

    /// <summary>The coordinator counts the room in the boards' tables: none has ever to refuse a write for want of it (D6).</summary>
    public void JudgeRoom()
    {
        foreach (var line in history.World.Log)
        {
            if (line.Contains("The tag table is full", StringComparison.Ordinal))
            {
                throw new ConsistencyViolationException($"Rule D6: {line.Trim()}");
            }
        }
    }

    private ulong[] Boots()
    {
        var boots = new ulong[history.Cluster.Boards.Count];
        for (var i = 0; i < boots.Length; i++)
        {
            boots[i] = history.Cluster.Boards[i] is { IsRunning: true, Instance: not null } ? history.Cluster.Board(i).BootId : 0;
        }

        return boots;
    }

    private void JudgeMedia(CheckedWrite write)
    {
        var first = history.DataOffset / SimDiskMedia.SectorBytes;
        foreach (var board in history.Cluster.Boards.Where(b => !history.HasOldImage(b)))
        {
            history.Checker.JudgeDurable(board.Name, write, sector => board.Disk.Remains(first + sector));
        }
    }
}
