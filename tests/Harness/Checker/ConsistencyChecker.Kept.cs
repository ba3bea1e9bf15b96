namespace MirrorController.Tests.Harness.Checker;

/// <content>What is promised beyond what one disk with a cache would keep.</content>
public sealed partial class ConsistencyChecker
{
    private readonly Dictionary<long, CheckedWrite?[]> _promised = [];

    /// <summary>Judges what a board's medium keeps of a write that was promised to be durable: in whatever version a power cut leaves, it or a newer one (rule 2: on each member by itself).</summary>
    /// <param name="board">The board's name.</param>
    /// <param name="write">The write: flushed, or FUA and acknowledged.</param>
    /// <param name="remains">For a sector, what a power cut may leave of it; null is zeroes.</param>
    public void JudgeDurable(string board, CheckedWrite write, Func<long, IEnumerable<byte[]?>> remains)
    {
        for (var at = write.OffsetBytes; at < write.OffsetBytes + write.LengthBytes;)
        {
            var sector = at / SectorBytes;
            var from = at;
            at = Math.Min(write.OffsetBytes + write.LengthBytes, (sector + 1) * SectorBytes);
            foreach (var bytes in remains(sector))
            {
                for (var cell = from; cell < at; cell += CheckedWrite.CellBytes)
                {
                    JudgeCellAtLeast(board, write, bytes, cell);
                }
            }
        }
    }

    /// <summary>Judges what a power cut may leave of a sector on one board: of what was promised, nothing may be gone, whatever runs just now (rule 2, B3).</summary>
    /// <param name="board">The board's name.</param>
    /// <param name="sector">The sector.</param>
    /// <param name="remains">What may be left; null is zeroes.</param>
    public void JudgeRemains(string board, long sector, IEnumerable<byte[]?> remains)
    {
        if (!_promised.TryGetValue(sector, out var cells))
        {
            return;
        }

        foreach (var bytes in remains)
        {
            for (var cell = 0; cell < CellsPerSector; cell++)
            {
                if (cells[cell] is { } promised)
                {
                    JudgeCellAtLeast(board, promised, bytes, (sector * SectorBytes) + (cell * CheckedWrite.CellBytes));
                }
            }
        }
    }

    /// <summary>Gets the writes of a session that were acknowledged before a moment, and after another.</summary>
    public IEnumerable<CheckedWrite> AcknowledgedBetween(CheckedSession session, long after, long before)
    {
        foreach (var write in _writes)
        {
            if (write.Session == session && write.Acknowledged > after && write.Acknowledged < before)
            {
                yield return write;
            }
        }
    }

    /// <summary>An acknowledged write can never be lost any more, though nobody flushed it.</summary>
    public void Keep(CheckedWrite write)
    {
        write.IsKept = true;
        Promise(write);
    }

    /// <summary>From now on it, or a newer one, is on every board's medium.</summary>
    private void Promise(CheckedWrite write)
    {
        for (var at = write.OffsetBytes; at < write.OffsetBytes + write.LengthBytes; at += CheckedWrite.CellBytes)
        {
            Promise(write, at / SectorBytes, CellOf(at));
        }
    }

    private void Promise(CheckedWrite write, long sector, int cell)
    {
        if (!_promised.TryGetValue(sector, out var cells))
        {
            _promised.Add(sector, cells = new CheckedWrite?[CellsPerSector]);
        }

        ref var newest = ref cells[cell];
        if (newest is null || IsAtLeast(write, newest))
        {
            newest = write;
        }
    }

    /// <summary>Promises what a session had acknowledged before its newest completed flush.</summary>
    private void PromiseFlushed(CheckedSession session)
    {
        foreach (var write in session.Unpromised)
        {
            if (write.IsProtected)
            {
                Promise(write);
            }
        }

        session.Unpromised.RemoveAll(w => w.IsProtected);
    }

    private void JudgeCellAtLeast(string board, CheckedWrite promised, byte[]? sectorBytes, long at)
    {
        var version = sectorBytes is null ? 0 : CheckedWrite.VersionIn(sectorBytes.AsSpan((int)(at % SectorBytes), CheckedWrite.CellBytes), at);
        var held = version < (ulong)_writes.Count ? _writes[(int)version.Value] : null;
        if (held is null || !IsAtLeast(held, promised))
        {
            throw Fail(
                $"Rule 2: a power cut would leave on {board} {held?.ToString() ?? "what nobody wrote"}, "
                + $"but {promised} was promised to be durable. {Story(at / SectorBytes, CellOf(at))}");
        }
    }

    private static bool IsAtLeast(CheckedWrite held, CheckedWrite promised) =>
        held == promised
        || (held.Session is { } session
            && (session.Number > promised.Session!.Number || (session == promised.Session && held.Order > promised.Order)));
}
