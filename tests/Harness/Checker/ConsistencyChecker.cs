namespace MirrorController.Tests.Harness.Checker;

/// <summary>Remembers every write of the applications, sector by sector, and judges every read and the final state (docs/protocol.md, what must always hold).</summary>
/// <remarks>
/// The model, for each cell of a 512-byte sector:
/// <list type="bullet">
/// <item>Within a session the cell is a register. Overlapping writes are acknowledged in the order of their tags (W1), so a read may return
/// the newest version that was acknowledged, or seen by a read, before it was issued, or a later one (rules 3 and 5).</item>
/// <item>A session finds what the one before may have left: its newest flushed or FUA version, or any later one, unanswered ones
/// included (rule 2). The first read tells which; from then on it is that one on every read and every board (decision: a power cut
/// is judged by the sector, for whole blocks tear).</item>
/// <item>Once a later session is open, an earlier one gets nothing acknowledged that was issued after that (rule 7).</item>
/// </list>
/// </remarks>
public sealed partial class ConsistencyChecker
{
    /// <summary>What no disk tears.</summary>
    public const int SectorBytes = 512;

    private const int CellsPerSector = SectorBytes / CheckedWrite.CellBytes;

    private readonly CheckedWrite _zeroes = new(null, 0, 0, 0, fua: true, 0);
    private readonly List<CheckedWrite> _writes = [];
    private readonly List<CheckedSession> _opened = [];
    private readonly HashSet<long> _written = [];
    private long _moment;

    public ConsistencyChecker()
    {
        _writes.Add(_zeroes);
    }

    /// <summary>Gets how many sectors were judged.</summary>
    public long JudgedSectors { get; private set; }

    /// <summary>Gets the first violation found; null while there is none.</summary>
    public ConsistencyViolationException? Violation { get; private set; }

    /// <summary>A coordinator starts to live.</summary>
    public CheckedSession NewSession(string name) => new(name);

    /// <summary>Its session was seen open: it may have sent writes from now on, or since shortly before.</summary>
    public void Opened(CheckedSession session, uint number)
    {
        if (session.Number != 0)
        {
            return;
        }

        session.Number = number;
        session.Opened = ++_moment;
        if (_opened.Exists(s => s.Number == number))
        {
            throw Fail($"Rule O1: two coordinators opened session {number}.");
        }

        _opened.Add(session);
        _opened.Sort((a, b) => a.Number.CompareTo(b.Number));
        for (var i = 1; i < _opened.Count; i++)
        {
            _opened[i].Previous = _opened[i - 1];
        }
    }

    /// <summary>An application issues a write; its data is <see cref="CheckedWrite.MakeData"/>.</summary>
    public CheckedWrite Write(CheckedSession session, long offsetBytes, int lengthBytes, bool fua = false)
    {
        if (offsetBytes % CheckedWrite.CellBytes != 0 || lengthBytes % CheckedWrite.CellBytes != 0 || lengthBytes <= 0)
        {
            throw new ArgumentException($"The checker takes writes of whole cells of {CheckedWrite.CellBytes} bytes.");
        }

        var write = new CheckedWrite(session, (ulong)_writes.Count, offsetBytes, lengthBytes, fua, ++_moment);
        _writes.Add(write);
        for (var at = offsetBytes; at < offsetBytes + lengthBytes;)
        {
            var sector = at / SectorBytes;
            var end = Math.Min(offsetBytes + lengthBytes, (sector + 1) * SectorBytes);
            byte cells = 0;
            for (; at < end; at += CheckedWrite.CellBytes)
            {
                cells |= (byte)(1 << CellOf(at));
            }

            _written.Add(sector);
            session.At(sector).Versions.Add(new SectorVersion(write, cells));
        }

        return write;
    }

    /// <summary>The volume has taken the write; who issued it need not know of it yet.</summary>
    public void Take(CheckedWrite write)
    {
        JudgeLate(write.Session!, write.Issued, "acknowledged a write (rule 7)");
        write.Taken = ++_moment;
    }

    /// <summary>The write was acknowledged.</summary>
    public void Acknowledge(CheckedWrite write)
    {
        if (write.Taken == 0)
        {
            Take(write);
        }

        write.Acknowledged = ++_moment;
        if (write.IsProtected)
        {
            Promise(write);
        }
        else
        {
            write.Session!.Unpromised.Add(write);
        }
    }

    /// <summary>The write ended with an error.</summary>
    public void Failed(CheckedWrite write) => write.HasFailed = true;

    /// <summary>An application issues a flush.</summary>
    public CheckedFlush Flush(CheckedSession session) => new(session, ++_moment);

    /// <summary>The flush has ended well: what had been acknowledged before it is never lost (rule 2).</summary>
    public void Complete(CheckedFlush flush)
    {
        flush.Session.ProtectedBefore = Math.Max(flush.Session.ProtectedBefore, flush.Issued);
        PromiseFlushed(flush.Session);
    }

    /// <summary>An application issues a read.</summary>
    public CheckedRead Read(CheckedSession session, long offsetBytes, int lengthBytes) =>
        new(session, offsetBytes, lengthBytes, ++_moment);

    /// <summary>The read has returned; cells that it has in part only are not judged.</summary>
    public void Complete(CheckedRead read, ReadOnlySpan<byte> data)
    {
        if (data.Length != read.LengthBytes)
        {
            throw Fail($"A read of {read.LengthBytes} bytes at {read.OffsetBytes} returned {data.Length}.");
        }

        JudgeLate(read.Session, read.Issued, "answered a read (rule O2)");
        Judge(read.Session, read.Issued, read.OffsetBytes, data, $"a read of {read.OffsetBytes}+{read.LengthBytes} issued at {read.Issued}");
    }

    /// <summary>Judges what a board's disk holds while nothing is in flight, as if it were a read of the last session.</summary>
    public void JudgeBoard(string board, long offsetBytes, ReadOnlySpan<byte> data) =>
        Judge(_opened[^1], ++_moment, offsetBytes, data, $"the disk of {board}");

    /// <summary>Judges once more what every session found: an earlier one's flush may have been answered only afterwards.</summary>
    public void JudgeFound()
    {
        foreach (var session in _opened)
        {
            foreach (var (sector, state) in session.Sectors)
            {
                for (var cell = 0; cell < CellsPerSector; cell++)
                {
                    if (state.Found[cell] is { } found && !Possible(session.Previous, sector, cell).Contains(found))
                    {
                        throw Fail($"Rule 2: {session.Name} had found {found}. {Story(sector, cell)}");
                    }
                }
            }
        }
    }

    /// <summary>A session has reconciled its members: what it found in the sectors that it has not written is what a board holds now, for good.</summary>
    public void PinFound(CheckedSession session, ReadOnlySpan<byte> volume)
    {
        for (long sector = 0; sector < volume.Length / SectorBytes; sector++)
        {
            if (!_written.Contains(sector))
            {
                if (volume.Slice((int)(sector * SectorBytes), SectorBytes).ContainsAnyExcept((byte)0))
                {
                    throw Fail($"After the recovery sector {sector} holds what nobody wrote.");
                }

                continue;
            }

            var state = session.At(sector);
            for (var cell = 0; cell < CellsPerSector; cell++)
            {
                var at = (sector * SectorBytes) + (cell * CheckedWrite.CellBytes);
                if (state.Found[cell] is null && !state.Versions.Exists(v => (v.Cells & (1 << cell)) != 0))
                {
                    var version = CheckedWrite.VersionIn(volume.Slice((int)at, CheckedWrite.CellBytes), at);
                    JudgeCell(session, _moment, _moment, sector, cell, version, "the disks after the recovery");
                }
            }
        }
    }

    private static int CellOf(long offsetBytes) => (int)(offsetBytes % SectorBytes / CheckedWrite.CellBytes);

    private void JudgeLate(CheckedSession session, long issued, string what)
    {
        var later = _opened.Find(s => s.Number > session.Number && s.Opened < issued);
        if (later is not null || session.Number == 0)
        {
            throw Fail($"{session.Name} {what} that was issued at {issued}, but {later?.Name ?? "no session of its own"} was open since {later?.Opened ?? 0}.");
        }
    }

    private void Judge(CheckedSession session, long issued, long offsetBytes, ReadOnlySpan<byte> data, string what)
    {
        Span<CheckedWrite?> seen = new CheckedWrite?[CellsPerSector];
        var ended = ++_moment;
        var at = (offsetBytes + CheckedWrite.CellBytes - 1) / CheckedWrite.CellBytes * CheckedWrite.CellBytes;
        while (at + CheckedWrite.CellBytes <= offsetBytes + data.Length)
        {
            var sector = at / SectorBytes;
            seen.Clear();
            for (; at / SectorBytes == sector && at + CheckedWrite.CellBytes <= offsetBytes + data.Length; at += CheckedWrite.CellBytes)
            {
                var cell = data.Slice((int)(at - offsetBytes), CheckedWrite.CellBytes);
                seen[CellOf(at)] = JudgeCell(session, issued, ended, sector, CellOf(at), CheckedWrite.VersionIn(cell, at), what);
            }

            JudgeTear(sector, seen, what);
            JudgedSectors++;
        }
    }

    private CheckedWrite JudgeCell(CheckedSession session, long issued, long ended, long sector, int cell, ulong? version, string what)
    {
        if (version is null || version >= (ulong)_writes.Count)
        {
            throw Fail($"{what} returned what nobody wrote. {Story(sector, cell)}");
        }

        var write = _writes[(int)version];
        var state = session.At(sector);
        SectorVersion? floor = null;
        SectorVersion? own = null;
        foreach (var v in state.Versions)
        {
            if ((v.Cells & (1 << cell)) == 0)
            {
                continue;
            }

            own = v.Write == write ? v : own;
            if (v.Visible < issued && (floor is null || v.Write.Order > floor.Write.Order))
            {
                floor = v;
            }
        }

        if (own is not null)
        {
            if (floor is not null && floor != own && own.Write.Order <= floor.Write.Order)
            {
                throw Fail($"Rules 3 and 5: {what} returned {write}, older than {floor.Write}. {Story(sector, cell)}");
            }

            own.Observed = own.Observed == 0 ? ended : own.Observed;
            return write;
        }

        if (floor is not null)
        {
            throw Fail($"Rules 3 and 5: {what} returned {write}, but this session had {floor.Write}. {Story(sector, cell)}");
        }

        if (state.Found[cell] is { } found)
        {
            return found == write
                ? write
                : throw Fail($"Not the same on every read and board: {what} returned {write}, an earlier one {found}. {Story(sector, cell)}");
        }

        if (!Possible(session.Previous, sector, cell).Contains(write))
        {
            throw Fail($"Rule 2: {what} returned {write}. {Story(sector, cell)}");
        }

        state.Found[cell] = write;
        if (write.Session is not null)
        {
            // R5: what a later session is shown is durable on all boards before.
            Promise(write, sector, cell);
        }

        return write;
    }

    /// <summary>Two writes that both cover two cells never share the sector: no disk tears it.</summary>
    private void JudgeTear(long sector, Span<CheckedWrite?> seen, string what)
    {
        for (var a = 0; a < CellsPerSector; a++)
        {
            for (var b = a + 1; b < CellsPerSector; b++)
            {
                if (seen[a] is { } x && seen[b] is { } y && x != y && Covers(x, sector, b) && Covers(y, sector, a))
                {
                    throw Fail($"{what} returned a torn sector: {x} and {y}. {Story(sector, a)}");
                }
            }
        }
    }

    private static bool Covers(CheckedWrite write, long sector, int cell)
    {
        var at = (sector * SectorBytes) + (cell * CheckedWrite.CellBytes);
        return write.OffsetBytes <= at && at < write.OffsetBytes + write.LengthBytes;
    }

    /// <summary>What a cell may hold when a session is over.</summary>
    private List<CheckedWrite> Possible(CheckedSession? session, long sector, int cell)
    {
        if (session is null)
        {
            return [_zeroes];
        }

        if (session.Find(sector) is not { } state)
        {
            return Possible(session.Previous, sector, cell);
        }

        CheckedWrite? kept = null;
        foreach (var v in state.Versions)
        {
            if ((v.Cells & (1 << cell)) != 0 && v.Write.IsProtected && (kept is null || v.Write.Order > kept.Order))
            {
                kept = v.Write;
            }
        }

        var possible = kept is not null ? [kept]
            : state.Found[cell] is { } found ? [found]
            : Possible(session.Previous, sector, cell);
        foreach (var v in state.Versions)
        {
            if ((v.Cells & (1 << cell)) != 0 && v.Write.Order > (kept?.Order ?? 0))
            {
                possible.Add(v.Write);
            }
        }

        return possible;
    }

    private string Story(long sector, int cell)
    {
        var story = new System.Text.StringBuilder();
        story.Append(System.Globalization.CultureInfo.InvariantCulture, $"Block {sector / 8}, sector {sector}, cell {cell}:");
        foreach (var session in _opened)
        {
            story.AppendLine().Append(System.Globalization.CultureInfo.InvariantCulture, $"  session {session.Number}, {session.Name}, open at {session.Opened}:");
            if (session.Find(sector) is not { } state)
            {
                continue;
            }

            if (state.Found[cell] is { } found)
            {
                story.AppendLine().Append(System.Globalization.CultureInfo.InvariantCulture, $"    found {found}");
            }

            foreach (var v in state.Versions.Where(v => (v.Cells & (1 << cell)) != 0))
            {
                story.AppendLine().Append(System.Globalization.CultureInfo.InvariantCulture, $"    {v.Write}{(v.Observed > 0 ? $", seen at {v.Observed}" : string.Empty)}");
            }
        }

        return story.AppendLine().ToString();
    }

    private ConsistencyViolationException Fail(string sentence)
    {
        var violation = new ConsistencyViolationException(sentence);
        Violation ??= violation;
        return violation;
    }
}
