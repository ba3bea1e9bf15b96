using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

namespace MirrorController.Firmware.Disks;

/// <summary>An emulated disk with a volatile write cache: any death of the process is a power cut for it.</summary>
/// <remarks>
/// The data file is the medium, the <see cref="CacheLog"/> is the cache. The rule it keeps: after a death every 512-byte
/// sector holds what the last completed sync left, or any version written since.
/// <list type="bullet">
/// <item>A write goes to the log only. Until it is moved, the data file holds the older version.</item>
/// <item>A sync moves the newest versions to the data file, then empties the log. A death in between leaves some sectors
/// moved and the log whole: settling then chooses between the newest version (instead of the old one) and the logged
/// ones, all of them written since the last completed sync, for this one was not.</item>
/// <item>A full log is moved in the same way without a sync, as a disk does it on its own; the newest version is allowed.</item>
/// <item>A synchronous write goes to the data file, then the log notes that older versions are dropped. A death in between
/// may bring an older version back, of a write that had not ended.</item>
/// <item>Settling writes the chosen versions to the data file, then empties the log. A death in between only makes a
/// chosen version take the place of the old one.</item>
/// </list>
/// After a sync the data file alone holds the plain data.
/// </remarks>
public sealed partial class VolatileCacheDisk : IBlockDevice, IDisposable
{
    /// <summary>The default size of the cache in bytes.</summary>
    public const int CacheBytesDefault = 32 * 1024 * 1024;

    private const long ZeroCachedMax = 32 * 1024 * 1024;
    private const int SectorBytes = CacheLog.SectorBytes;

    private readonly ILoop _loop;
    private readonly FileDisk _disk;
    private readonly CacheLog _cache;
    private readonly SectorMap _map = new();
    private readonly Stack<CacheJob> _free = new();
    private readonly List<CacheJob> _parked = [];
    private bool _closed;

    private VolatileCacheDisk(ILoop loop, FileDisk disk, CacheLog cache)
    {
        _loop = loop;
        _disk = disk;
        _cache = cache;
        Faults.Released = Unpark;
    }

    /// <inheritdoc/>
    public long SizeBytes => _disk.SizeBytes;

    /// <inheritdoc/>
    public int PhysicalSectorBytes => SectorBytes;

    /// <inheritdoc/>
    public string Name => _disk.Name + " with an emulated volatile cache";

    /// <summary>Gets the switch for faults.</summary>
    public DiskFaults Faults { get; } = new();

    /// <summary>Puts a cache before a disk, and first settles what an earlier life left in it.</summary>
    /// <param name="loop">The node's loop.</param>
    /// <param name="disk">The medium; it is closed with this disk.</param>
    /// <param name="cachePath">The side file.</param>
    /// <param name="random">Gives the seed of a settling; the log names it.</param>
    /// <param name="log">Where settling is told.</param>
    /// <param name="cacheBytes">The size of a new side file.</param>
    /// <exception cref="IOException">The side file cannot be used, or the medium fails.</exception>
    public static VolatileCacheDisk Open(
        ILoop loop, FileDisk disk, string cachePath, IRandomSource random, INodeLog log, int cacheBytes = CacheBytesDefault)
    {
        ArgumentNullException.ThrowIfNull(disk);
        if (disk.SizeBytes % SectorBytes != 0)
        {
            throw new IOException($"The {disk.Name} does not have whole sectors of {SectorBytes} bytes.");
        }

        var opened = new VolatileCacheDisk(loop, disk, new CacheLog(cachePath, cacheBytes));
        opened.Settle(random, log);
        return opened;
    }

    /// <inheritdoc/>
    public void Write(long offsetBytes, Payload payload, ICompletion done) =>
        End(done, Judge(offsetBytes, payload.Length, writes: true) ?? WriteNow(offsetBytes, payload));

    /// <inheritdoc/>
    public void WriteSync(long offsetBytes, Payload payload, ICompletion done)
    {
        var fault = Judge(offsetBytes, payload.Length, writes: true) ?? WriteThroughNow(offsetBytes, payload);
        SyncMedium(done, fault);
    }

    /// <inheritdoc/>
    public void Read(long offsetBytes, Slice into, ICompletion done)
    {
        var fault = Judge(offsetBytes, into.Length, writes: false);
        if (fault is null && Faults.FailReads > 0)
        {
            Faults.FailReads--;
            fault = "Reading failed: a fault was injected.";
        }

        End(done, fault ?? ReadNow(offsetBytes, into.Span));
    }

    /// <inheritdoc/>
    public void Zero(long offsetBytes, long lengthBytes, ICompletion done) =>
        End(done, Judge(offsetBytes, lengthBytes, writes: true) ?? ZeroRange(offsetBytes, lengthBytes));

    /// <inheritdoc/>
    public void Sync(ICompletion done)
    {
        if (Faults.FailSyncs > 0)
        {
            Faults.FailSyncs--;
            _map.Clear();
            _cache.Reset();
            End(done, "Syncing failed: a fault was injected.");
            return;
        }

        SyncMedium(done, _closed ? "The disk is closed." : MoveToMedium());
    }

    /// <inheritdoc/>
    public long KnownZeroBytes(long offsetBytes, long lengthBytes)
    {
        var hole = _disk.KnownZeroBytes(offsetBytes, lengthBytes);
        var cached = _map.NextCachedPage(offsetBytes / SectorBytes) * SectorBytes;
        return Math.Min(hole, Math.Max(0, cached - offsetBytes));
    }

    /// <inheritdoc/>
    public void Close()
    {
        if (!_closed)
        {
            _closed = true;
            _cache.Dispose();
            _disk.Close();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Close();

    internal void Recycle(CacheJob job) => _free.Push(job);

    internal void Park(CacheJob job) => _parked.Add(job);

    private void Unpark()
    {
        foreach (var job in _parked)
        {
            _loop.Post(job.Finish);
        }

        _parked.Clear();
    }

    private void End(ICompletion done, string? fault) => Job(done).EndLater(_loop, new IoStatus(fault));

    private void SyncMedium(ICompletion done, string? fault)
    {
        if (fault is null)
        {
            _disk.Sync(Job(done));
        }
        else
        {
            End(done, fault);
        }
    }

    private CacheJob Job(ICompletion done) => (_free.TryPop(out var job) ? job : new CacheJob(this)).Begin(done);

    private string? Judge(long offsetBytes, long lengthBytes, bool writes)
    {
        if (_closed)
        {
            return "The disk is closed.";
        }

        if (offsetBytes < 0 || lengthBytes < 0 || lengthBytes > SizeBytes || offsetBytes > SizeBytes - lengthBytes)
        {
            return $"The range {offsetBytes}+{lengthBytes} is beyond the disk's {SizeBytes} bytes.";
        }

        if (writes && Faults.FailWrites > 0)
        {
            Faults.FailWrites--;
            return "Writing failed: a fault was injected.";
        }

        return null;
    }
}
