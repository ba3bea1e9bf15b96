using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>A disk's medium and cache, over all lives of its node.</summary>
/// <remarks>
/// Fault model: a power cut leaves in each 512-byte sector any version written since the last completed sync, or the one
/// before; also of writes that had not ended. That is what a disk with a volatile cache promises, and no more.
/// </remarks>
public sealed class SimDiskMedia
{
    /// <summary>What a power cut never tears.</summary>
    public const int SectorBytes = 512;

    private readonly Dictionary<long, SimSector> _sectors = [];
    private readonly Dictionary<long, SimSector> _unsynced = [];
    private readonly List<SimDiskRequest> _running = [];
    private readonly List<(long Micros, long OffsetBytes, long LengthBytes)> _failedReads = [];
    private readonly SimRandom _random;
    private long _writes;

    public SimDiskMedia(SimWorld world, string name, long sizeBytes)
    {
        if (sizeBytes % SectorBytes != 0)
        {
            throw new ArgumentException("A disk has whole sectors.", nameof(sizeBytes));
        }

        World = world;
        Name = name;
        SizeBytes = sizeBytes;
        _random = world.RandomFor(name);
    }

    public SimWorld World { get; }

    public string Name { get; }

    public long SizeBytes { get; }

    /// <summary>Gets or sets whether the disk was made by a creation: until then it is a file that does not exist.</summary>
    public bool WasMade { get; set; }

    /// <summary>Gets or sets whether the disk is a block device, which is there before any creation.</summary>
    public bool IsDevice { get; set; }

    public SimDiskFaults Faults { get; } = new();

    /// <summary>Gets or sets whether the file system tells of holes: what was never made durable and waits for no sync is one, whatever a page in the cache says.</summary>
    public bool HasHoles { get; set; }

    /// <summary>Gets how often two operations that overlap, one of them a write, were in flight together: a node that orders its ranges never does it.</summary>
    public int OverlapCount { get; private set; }

    /// <summary>Gets how many operations have begun.</summary>
    public long OperationCount { get; private set; }

    /// <summary>Gets how often something was written, made durable or lost.</summary>
    public long ChangeCount { get; private set; }

    /// <summary>Gets the number of sectors that a power cut may change.</summary>
    public int UnsyncedSectors => _unsynced.Count;

    /// <summary>Gets or sets who is told that an operation begins: a node may lose its power just then.</summary>
    internal Action? OperationBegins { get; set; }

    /// <summary>Gets or sets who is told that a write or sync has begun (true) or ended (false).</summary>
    internal Action<bool, string>? StepTaken { get; set; }

    /// <summary>Opens the disk for one life of a node.</summary>
    public IBlockDevice Open(SimLoop loop) => new SimDisk(this, loop);

    /// <summary>Copies what a read would return now, for a test's checks.</summary>
    public byte[] Peek(long offsetBytes, int lengthBytes)
    {
        var bytes = new byte[lengthBytes];
        ReadNow(offsetBytes, bytes);
        return bytes;
    }

    /// <summary>Changes the medium behind everyone's back, durably: what was written elsewhere, or has rotted.</summary>
    public void Poke(long offsetBytes, ReadOnlySpan<byte> bytes) => StoreNow(offsetBytes, bytes, durable: true);

    /// <summary>Gets the sectors that a power cut may change.</summary>
    public IReadOnlyCollection<long> Unsynced => _unsynced.Keys;

    /// <summary>Tells what a power cut now may leave of a sector; null is zeroes.</summary>
    public IEnumerable<byte[]?> Remains(long sector)
    {
        var found = _sectors.GetValueOrDefault(sector);
        yield return found?.Durable;
        foreach (var (_, bytes) in found?.Versions ?? [])
        {
            yield return bytes;
        }
    }

    /// <summary>Tells whether a read that touches a range has failed since a moment of the world's time.</summary>
    public bool HasFailedToRead(long offsetBytes, long lengthBytes, long sinceMicros) => _failedReads.Exists(
        r => r.Micros >= sinceMicros && r.OffsetBytes < offsetBytes + lengthBytes && offsetBytes < r.OffsetBytes + r.LengthBytes);

    /// <summary>Loses the power: each unsynced sector keeps one of its versions.</summary>
    public void PowerCut()
    {
        // What had not ended may have got anywhere, too: it counts as written.
        foreach (var request in _running.ToArray())
        {
            request.ApplyAtPowerCut();
        }

        _running.Clear();
        Faults.HasUnreportedError = false;
        ChangeCount++;
        // Some cuts lose everything, some nothing: both are rare if each sector is drawn by itself.
        var mode = HowMuchIsKept();
        foreach (var sector in _unsynced.Values)
        {
            Settle(sector, mode);
        }

        World.Note($"{Name}: the power cut met {_unsynced.Count} unsynced sectors");
        _unsynced.Clear();
        foreach (var sector in _sectors.Values)
        {
            sector.CleanButLost = null;
        }
    }

    /// <summary>Copies what is durable, of a disk without power: an image.</summary>
    public IReadOnlyDictionary<long, byte[]> TakeImage()
    {
        if (_unsynced.Count + _running.Count > 0)
        {
            throw new InvalidOperationException($"{Name} is in use.");
        }

        return _sectors.Where(s => s.Value.Durable is not null).ToDictionary(s => s.Key, s => (byte[])s.Value.Durable!.Clone());
    }

    /// <summary>Puts an image in the place of all that is there.</summary>
    public void RestoreImage(IReadOnlyDictionary<long, byte[]> image)
    {
        if (_unsynced.Count + _running.Count > 0)
        {
            throw new InvalidOperationException($"{Name} is in use.");
        }

        ChangeCount++;
        _sectors.Clear();
        foreach (var (sector, bytes) in image)
        {
            _sectors.Add(sector, new SimSector { Durable = (byte[])bytes.Clone() });
        }
    }

    /// <summary>The node's process ends and the system lives on: the cache stays, what runs is ended.</summary>
    public void ProcessEnd()
    {
        foreach (var request in _running.ToArray())
        {
            request.ApplyAtProcessEnd();
        }

        _running.Clear();
    }

    /// <summary>The system drops clean pages: what a failed sync left clean is read from the medium again, as old as that is.</summary>
    public void DropCleanPages()
    {
        World.Note($"{Name}: clean pages are dropped");
        ChangeCount++;
        foreach (var sector in _sectors.Values)
        {
            sector.CleanButLost = null;
        }
    }

    /// <summary>The system fails to write back what is in the cache: the pages count as clean, and the next sync tells.</summary>
    public void FailWriteback()
    {
        if (_unsynced.Count > 0)
        {
            World.Note($"{Name}: {_unsynced.Count} sectors could not be written back");
            FailSyncNow();
            Faults.HasUnreportedError = true;
        }
    }

    internal void Begin(SimDiskRequest request)
    {
        OperationCount++;
        OverlapCount += _running.Count(other => other.Conflicts(request));
        request.SyncsUpTo = _writes;
        _running.Add(request);
        if (World.IsVerbose)
        {
            World.Note($"{Name}: {request} begins");
        }

        OperationBegins?.Invoke();
        Tell(true, request);
    }

    /// <summary>Tells of a step; reads are none, for they leave nothing behind.</summary>
    internal void Tell(bool begins, SimDiskRequest request)
    {
        if (World.StepTaken is not null && !request.IsRead)
        {
            StepTaken?.Invoke(begins, request.ToString());
        }
    }

    /// <summary>Adds what the disk holds, durably and in its cache, to a sum: equal sums, equal disks.</summary>
    public void AddTo(ref SimStateHash hash)
    {
        ulong sectors = 0;
        foreach (var (index, sector) in _sectors)
        {
            var one = new SimStateHash();
            one.Add((ulong)index);
            one.Add(sector.Durable);
            one.Add((ulong)sector.Versions.Count);
            foreach (var (_, bytes) in sector.Versions)
            {
                one.Add(bytes);
            }

            one.Add(sector.CleanButLost);
            // A sum, for the order in which sectors came to be is no matter.
            sectors += one.Value;
        }

        hash.Add(WasMade ? 1UL : 0);
        hash.Add(sectors);
    }

    internal void ReadHasFailed(long offsetBytes, long lengthBytes) => _failedReads.Add((World.NowMicros, offsetBytes, lengthBytes));

    internal long KnownZeroBytes(long offsetBytes, long lengthBytes)
    {
        var at = offsetBytes;
        while (HasHoles && at < offsetBytes + lengthBytes && _sectors.GetValueOrDefault(at / SectorBytes) is null or { Durable: null, Versions.Count: 0 })
        {
            at = ((at / SectorBytes) + 1) * SectorBytes;
        }

        return Math.Min(at - offsetBytes, lengthBytes);
    }

    internal void End(SimDiskRequest request) => _running.Remove(request);

    /// <summary>Tells whether every sync and synchronous write that was begun before has ended, if it is one itself.</summary>
    internal bool IsItsTurn(SimDiskRequest request) =>
        !request.IsDurable || ReferenceEquals(_running.Find(r => r.IsDurable), request);

    internal void ReadNow(long offsetBytes, Span<byte> into)
    {
        while (!into.IsEmpty)
        {
            var (sector, within) = (offsetBytes / SectorBytes, (int)(offsetBytes % SectorBytes));
            var n = Math.Min(SectorBytes - within, into.Length);
            var visible = _sectors.GetValueOrDefault(sector)?.Visible;
            if (visible is null)
            {
                into[..n].Clear();
            }
            else
            {
                visible.AsSpan(within, n).CopyTo(into);
            }

            into = into[n..];
            offsetBytes += n;
        }
    }

    internal void StoreNow(long offsetBytes, ReadOnlySpan<byte> bytes, bool durable)
    {
        var write = ++_writes;
        ChangeCount++;
        while (!bytes.IsEmpty)
        {
            var (index, within) = (offsetBytes / SectorBytes, (int)(offsetBytes % SectorBytes));
            var n = Math.Min(SectorBytes - within, bytes.Length);
            if (!_sectors.TryGetValue(index, out var sector))
            {
                _sectors.Add(index, sector = new SimSector());
            }

            var version = new byte[SectorBytes];
            sector.Visible?.CopyTo(version, 0);
            bytes[..n].CopyTo(version.AsSpan(within));
            sector.CleanButLost = null;
            if (durable)
            {
                sector.Versions.Clear();
                sector.Durable = version;
                _unsynced.Remove(index);
            }
            else
            {
                sector.Versions.Add((write, version));
                _unsynced[index] = sector;
            }

            bytes = bytes[n..];
            offsetBytes += n;
        }
    }

    /// <summary>Makes durable what had been written up to a write.</summary>
    internal void SyncNow(long upToWrite)
    {
        ChangeCount += _unsynced.Count > 0 ? 1 : 0;
        foreach (var (index, sector) in _unsynced.ToArray())
        {
            var last = sector.Versions.FindLastIndex(v => v.Write <= upToWrite);
            if (last >= 0)
            {
                sector.Durable = sector.Versions[last].Bytes;
                sector.Versions.RemoveRange(0, last + 1);
                if (sector.Versions.Count == 0)
                {
                    _unsynced.Remove(index);
                }
            }
        }
    }

    /// <summary>A sync fails: the medium got some of it, and everything counts as clean.</summary>
    internal void FailSyncNow()
    {
        ChangeCount++;
        foreach (var sector in _unsynced.Values)
        {
            var visible = sector.Visible;
            Settle(sector, HowMuchIsKept());
            sector.CleanButLost = visible;
        }

        _unsynced.Clear();
    }

    internal long NextReportDelayMicros() =>
        World.Options.DiskReportDelayMaxMicros == 0 ? 0 : _random.Between(0, World.Options.DiskReportDelayMaxMicros);

    internal long NextDelayMicros(bool isDurable) =>
        Faults.ExtraDelayMicros + (isDurable ? Faults.ExtraSyncDelayMicros : 0) + _random.Between(World.Options.DiskDelayMinMicros, World.Options.DiskDelayMaxMicros);

    private int HowMuchIsKept()
    {
        var drawn = _random.Below(8);
        return World.CutMedia switch
        {
            SimCutMedia.Lost => 0,
            SimCutMedia.Kept => 1,
            SimCutMedia.Mixed => 2,
            _ => drawn,
        };
    }

    private void Settle(SimSector sector, int mode)
    {
        var kept = mode switch
        {
            0 => 0,
            1 => sector.Versions.Count,
            _ => _random.Below(sector.Versions.Count + 1),
        };
        if (kept > 0)
        {
            sector.Durable = sector.Versions[kept - 1].Bytes;
        }

        sector.Versions.Clear();
    }
}
