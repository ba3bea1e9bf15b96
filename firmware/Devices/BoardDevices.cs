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
    public static BoardDevices Open(BoardConfiguration configuration, ILoop loop, INodeLog log)
    {
        log.Debug($"Board {configuration.Name}: chip {configuration.Nvm.FilePath}, disk {configuration.Disk.DiskPath}.");
        var (kind, pageBytes) = configuration.Nvm.Kind == NvmKind.Fram ? ("fram", 1) : ("eeprom", 64);
        return new BoardDevices(
            FileChip.Open(loop, configuration.Nvm.FilePath!, kind, pageBytes),
            new DiskPlace(configuration.Disk, loop));
    }

    /// <inheritdoc/>
    public void Dispose() => _chip.Dispose();
}
