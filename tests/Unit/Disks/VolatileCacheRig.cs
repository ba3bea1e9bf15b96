using MirrorController.Firmware.Disks;
using MirrorController.Protocol.Seams;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Disks;

/// <summary>An emulated disk that can die: all that a dead process leaves are its two files.</summary>
public sealed class VolatileCacheRig : FileDiskRigBase
{
    private readonly int _cacheBytes;
    private readonly SimRandom _random;
    private VolatileCacheDisk _disk;

    public VolatileCacheRig(long sizeBytes = SizeBytes, int cacheBytes = 1024 * 1024, ulong seed = 1)
    {
        _cacheBytes = cacheBytes;
        _random = new SimRandom(seed);
        _disk = Open(FileDisk.Create(Loop, DataPath, sizeBytes));
    }

    public override IBlockDevice Disk => _disk;

    public DiskFaults Faults => _disk.Faults;

    public string CachePath => Path.Combine(Folder, "cache");

    public List<string> Log { get; } = [];

    /// <summary>Dies and starts again. Closing stores nothing, so the files are what a death leaves; <paramref name="damage"/> may change them meanwhile.</summary>
    public void Die(Action? damage = null)
    {
        _disk.Close();
        damage?.Invoke();
        _disk = Open(FileDisk.Open(Loop, DataPath));
    }

    private VolatileCacheDisk Open(FileDisk disk) =>
        VolatileCacheDisk.Open(Loop, disk, CachePath, _random, new ListLog(Log), _cacheBytes);

    private sealed class ListLog(List<string> lines) : INodeLog
    {
        public void Write(NodeLogLevel level, string sentence) => lines.Add(sentence);
    }
}
