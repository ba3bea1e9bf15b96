using MirrorController.Firmware.Array;
using MirrorController.Firmware.Configuration;
using MirrorController.Firmware.Disks;
using MirrorController.Firmware.Nvm;
using MirrorController.Protocol.Seams;

namespace MirrorController.Firmware.Devices;

/// <summary>The devices of a board, as its configuration names them.</summary>
internal sealed class BoardDevices : IDisposable
{
    private readonly FileChip _chip;

    private BoardDevices(FileChip chip, IDiskPlace disk)
    {
        _chip = chip;
        Disk = disk;
    }

    /// <summary>Gets the memory chip.</summary>
    public INvm Chip => _chip;

    /// <summary>Gets the place of the disk.</summary>
    public IDiskPlace Disk { get; }

    /// <summary>Opens the chip and names the disk's place.</summary>
    /// <exception cref="IOException">A device is in use or cannot be opened; the message is one sentence.</exception>
    public static BoardDevices Open(BoardConfiguration configuration, ILoop loop, IRandomSource random, INodeLog log)
    {
        var (kind, pageBytes) = configuration.Nvm.Kind == NvmKind.Fram ? ("fram", 1) : ("eeprom", 64);
        return new BoardDevices(FileChip.Open(loop, configuration.Nvm.FilePath!, kind, pageBytes), Place(configuration.Disk, loop, random, log));
    }

    /// <summary>The place of the disk; a slow device may stall a write, so its calls run on a worker.</summary>
    private static FileDiskPlace Place(DiskConfiguration disk, ILoop loop, IRandomSource random, INodeLog log)
    {
        var isDevice = disk.Kind == DiskKind.Device;
        FileDiskPlace? place = null;
        Func<FileDisk, IBlockDevice>? wrap = disk.VolatileCache
            ? file => VolatileCacheDisk.Open(loop, file, place!.CachePath, random, log)
            : null;
        place = new FileDiskPlace(loop, disk.DiskPath, isDevice, isDevice ? DiskMode.Worker : DiskMode.Inline, wrap);
        return place;
    }

    /// <inheritdoc/>
    public void Dispose() => _chip.Dispose();
}
