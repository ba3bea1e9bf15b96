namespace MirrorController.HostAgent.Rig.Torture;

/// <summary>Remembers every write, sector by sector, and judges every read.</summary>
/// <remarks>
/// The model of a 512-byte sector (a power cut is judged by the sector, for whole blocks tear):
/// <list type="number">
/// <item>While the host lives a sector is a register: a read returns no version older than one that was acknowledged, or
/// returned by another read, before it was issued. Boards may lose their power as they like.</item>
/// <item>A host that dies leaves the newest protected version (FUA, or flushed after it was acknowledged) or any later
/// one, unanswered ones included. The first read tells which, and that one is durable from then on.</item>
/// <item>Of two writes in flight together either may be the later one, until a read has told.</item>
/// </list>
/// One thread uses it.
/// </remarks>
internal sealed class SectorChecker
{
    private const int HistoryMax = 40;
    private readonly List<TortureWrite> _writes = [new(0, 0, int.MaxValue, fua: true, life: 0, issued: 0) { Ended = 0 }];
    private readonly List<SectorVersion>?[] _sectors;
    private readonly List<TortureWrite> _unprotected = [];
    private readonly HashSet<TortureWrite> _pending = [];
    private readonly SortedSet<long> _reads = [];
    private readonly ulong _seed;
    private long _oldestRead = long.MaxValue;
    private long _moment;

    /// <summary>Makes the checker of a new volume.</summary>
    public SectorChecker(int seed, long sizeBytes)
    {
        _seed = (ulong)seed + 1;
        _sectors = new List<SectorVersion>?[sizeBytes / SectorPattern.SectorBytes];
    }

    /// <summary>Gets how many lives the host has had, this one included.</summary>
    public int Life { get; private set; } = 1;

    /// <summary>Gets how many writes were issued.</summary>
    public long Writes => _writes.Count - 1;

    /// <summary>Gets how many sectors were judged.</summary>
    public long JudgedSectors { get; private set; }

    /// <summary>A write is issued; its data are <see cref="Fill"/>'s.</summary>
    public TortureWrite BeginWrite(long firstSector, int sectors, bool fua)
    {
        var write = new TortureWrite(_writes.Count, firstSector, sectors, fua, Life, ++_moment);
        _writes.Add(write);
        _pending.Add(write);
        for (var s = firstSector; s < firstSector + sectors; s++)
        {
            Versions(s).Add(new SectorVersion(write, long.MaxValue, false));
        }

        return write;
    }

    /// <summary>Makes the data of a write.</summary>
    public void Fill(TortureWrite write, Span<byte> data) => SectorPattern.Fill(data, _seed, write.FirstSector, write.Version);

    /// <summary>A write was acknowledged.</summary>
    public void EndWrite(TortureWrite write)
    {
        write.Ended = ++_moment;
        _pending.Remove(write);
        for (var s = write.FirstSector; s < write.FirstSector + write.Sectors; s++)
        {
            Supersede(s, write, _moment, dead: write.Fua);
        }

        if (write.Fua)
        {
            write.Protected = _moment;
        }
        else
        {
            _unprotected.Add(write);
        }
    }

    /// <summary>A flush is issued; returns its moment.</summary>
    public long BeginFlush() => ++_moment;

    /// <summary>A flush has ended: what had been acknowledged before it was issued is protected.</summary>
    public void EndFlush(long issued)
    {
        _moment++;
        foreach (var write in _unprotected.Where(w => w.Ended < issued))
        {
            write.Protected = _moment;
            for (var s = write.FirstSector; s < write.FirstSector + write.Sectors; s++)
            {
                Supersede(s, write, write.Ended, dead: true);
            }
        }

        _unprotected.RemoveAll(w => w.Protected > 0);
    }

    /// <summary>A read is issued; returns its moment.</summary>
    public long BeginRead()
    {
        _reads.Add(++_moment);
        _oldestRead = _reads.Min;
        return _moment;
    }

    /// <summary>A read has ended.</summary>
    /// <returns>Null, or what is wrong with the first wrong sector, and its history.</returns>
    public TortureFault? EndRead(long issued, long firstSector, ReadOnlySpan<byte> data)
    {
        _moment++;
        _reads.Remove(issued);
        _oldestRead = _reads.Count == 0 ? long.MaxValue : _reads.Min;
        for (var at = 0; at < data.Length; at += SectorPattern.SectorBytes)
        {
            var sector = firstSector + (at / SectorPattern.SectorBytes);
            if (Judge(issued, sector, data.Slice(at, SectorPattern.SectorBytes)) is { } wrong)
            {
                return new TortureFault($"Sector {sector} (byte {sector * SectorPattern.SectorBytes}): a read issued at {issued}, answered at {_moment}, returned {wrong}.", sector, History(sector));
            }

            JudgedSectors++;
        }

        return null;
    }

    /// <summary>The host has died: what was in flight may have happened or not, and what was not protected may be gone.</summary>
    public void EndLife()
    {
        _moment++;
        foreach (var write in _pending)
        {
            write.Ended = _moment;
            write.IsLost = true;
        }

        _pending.Clear();
        _unprotected.Clear();
        _reads.Clear();
        _oldestRead = long.MaxValue;
        foreach (var versions in _sectors)
        {
            if (versions is { Count: > 1 })
            {
                versions.RemoveAll(v => v.IsDead);
                for (var i = 0; i < versions.Count; i++)
                {
                    versions[i] = versions[i] with { Superseded = long.MaxValue };
                }
            }
        }

        Life++;
    }

    private List<SectorVersion> Versions(long sector) => _sectors[sector] ??= [new SectorVersion(_writes[0], long.MaxValue, false)];

    /// <summary>Whatever had ended before this write was issued is older than it.</summary>
    private void Supersede(long sector, TortureWrite by, long moment, bool dead)
    {
        var versions = Versions(sector);
        var keep = 0;
        for (var i = 0; i < versions.Count; i++)
        {
            var v = versions[i];
            if (v.Write.Ended < by.Issued)
            {
                v = new SectorVersion(v.Write, Math.Min(v.Superseded, moment), v.IsDead || dead);
            }

            // A dead version is remembered while a read that may still return it is in flight.
            if (!v.IsDead || _oldestRead <= v.Superseded)
            {
                versions[keep++] = v;
            }
        }

        versions.RemoveRange(keep, versions.Count - keep);
    }

    private string? Judge(long issued, long sector, ReadOnlySpan<byte> data)
    {
        if (!SectorPattern.TryRead(data, _seed, sector, out var version, out var trouble))
        {
            return trouble;
        }

        if (version < 0 || version >= _writes.Count)
        {
            return $"version {version}, which was never written";
        }

        if (_sectors[sector] is not { } versions)
        {
            return version == 0 ? null : $"{_writes[(int)version]}; but this sector was never written";
        }

        var at = versions.FindIndex(v => v.Write.Version == version);
        if (at < 0 || versions[at].Superseded < issued)
        {
            return $"{_writes[(int)version]}; it may hold {string.Join(", ", versions.Where(v => v.Superseded >= issued).Select(v => v.Write.Version))} only";
        }

        Observe(versions, versions[at].Write, issued);
        return null;
    }

    private void Observe(List<SectorVersion> versions, TortureWrite seen, long issued)
    {
        if (versions.Count == 1)
        {
            return;
        }

        // With nothing in flight during the whole read, what it returned is what the sector holds.
        var isQuiet = versions.TrueForAll(v => v.Write.Ended < issued);
        for (var i = 0; i < versions.Count; i++)
        {
            var v = versions[i];
            if (v.Write == seen)
            {
                continue;
            }

            // What a dead host left is settled by the first read, and durable.
            var isSettled = seen.Life < Life && v.Write.Life < Life;
            if (isSettled || isQuiet || v.Write.Ended < seen.Issued)
            {
                versions[i] = new SectorVersion(v.Write, Math.Min(v.Superseded, _moment), v.IsDead || isSettled);
            }
        }
    }

    /// <summary>Gets the writes of a sector, oldest first.</summary>
    public List<string> History(long sector)
    {
        var all = _writes.FindAll(w => w.Version > 0 && w.FirstSector <= sector && sector < w.FirstSector + w.Sectors);
        var lines = all.Skip(Math.Max(0, all.Count - HistoryMax)).Select(w => w.ToString()).ToList();
        if (all.Count > HistoryMax)
        {
            lines.Insert(0, $"{all.Count - HistoryMax} older versions");
        }

        return lines;
    }
}
