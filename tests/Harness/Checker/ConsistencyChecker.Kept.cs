namespace MirrorController.Tests.Harness.Checker;

/// <content>What is promised beyond what one disk with a cache would keep.</content>
public sealed partial class ConsistencyChecker
{
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
                    var version = bytes is null ? 0 : CheckedWrite.VersionIn(bytes.AsSpan((int)(cell % SectorBytes), CheckedWrite.CellBytes), cell);
                    if (version is null || version >= (ulong)_writes.Count || !IsAtLeast(_writes[(int)version], write))
                    {
                        throw Fail(
                            $"Rule 2: a power cut would leave on {board} {(version < (ulong)_writes.Count ? _writes[(int)version!] : "what nobody wrote")}, "
                            + $"but {write} was promised to be durable. {Story(sector, CellOf(cell))}");
                    }
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
    public void Keep(CheckedWrite write) => write.IsKept = true;

    private static bool IsAtLeast(CheckedWrite held, CheckedWrite promised) =>
        held == promised
        || (held.Session is { } session
            && (session.Number > promised.Session!.Number || (session == promised.Session && held.Order > promised.Order)));
}
