using System.Device.I2c;
using MirrorController.Firmware.Array;
using MirrorController.Firmware.Configuration;
using MirrorController.Firmware.Disks;
using MirrorController.Firmware.Nvm;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

namespace MirrorController.Firmware.Devices;

/// <summary>The devices of a board, as its configuration names them.</summary>
internal sealed class BoardDevices : IDisposable
{
    private readonly I2cNvm _chip;
    private readonly ChipLock? _lock;

    private BoardDevices(I2cNvm chip, ChipLock? chipLock, IDiskPlace disk)
    {
        _chip = chip;
        _lock = chipLock;
        Disk = disk;
    }

    /// <summary>Gets the memory chip.</summary>
    public INvm Chip => _chip;

    /// <summary>Gets the place of the disk.</summary>
    public IDiskPlace Disk { get; }

    /// <summary>Opens the chip and names the disk's place.</summary>
    /// <param name="configuration">What the board is made of.</param>
    /// <param name="loop">The board's loop.</param>
    /// <param name="random">Decides what the emulations' power losses leave.</param>
    /// <param name="log">Is told of such losses.</param>
    /// <exception cref="IOException">A device is in use or cannot be opened; the message is one sentence.</exception>
    public static BoardDevices Open(BoardConfiguration configuration, ILoop loop, IRandomSource random, INodeLog log)
    {
        ChipLock? chipLock = null;
        var chip = configuration.Nvm.FilePath is null
            ? OnBus(configuration.Nvm, loop, out chipLock)
            : Emulated(configuration.Nvm, configuration.Nvm.FilePath, loop, random, log);
        return new BoardDevices(chip, chipLock, Place(configuration.Disk, loop, random, log));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _chip.Dispose();
        _lock?.Dispose();
    }

    private static I2cNvm Emulated(NvmConfiguration nvm, string path, ILoop loop, IRandomSource random, INodeLog log) =>
        EmulatedNvm.TryOpen(loop, nvm.Kind == NvmKind.Eeprom, path, nvm.RealTiming, random.Next(int.MaxValue), log, out var chip, out var fault)
            ? chip
            : throw new IOException(fault);

    /// <summary>A chip on an I2C bus. Its calls block, so they run on a worker.</summary>
    private static I2cNvm OnBus(NvmConfiguration nvm, ILoop loop, out ChipLock? chipLock)
    {
        chipLock = null;
        try
        {
            if (OperatingSystem.IsLinux())
            {
                chipLock = ChipLock.Take($"/dev/i2c-{nvm.Bus}", nvm.Address);
            }

            if (nvm.Kind == NvmKind.Fram)
            {
                using var id = I2cDevice.Create(new I2cConnectionSettings(nvm.Bus, Mb85rcFram.DeviceIdAddress));
                if (Mb85rcFram.CheckDeviceId(id, nvm.Address) is { } wrong)
                {
                    throw new IOException(wrong);
                }
            }

            var device = I2cDevice.Create(new I2cConnectionSettings(nvm.Bus, nvm.Address));
            var worker = new Worker(loop, "nvm");
            return nvm.Kind == NvmKind.Fram ? new Mb85rcFram(loop, device, worker) : new At24Eeprom(loop, device, worker);
        }
        catch (Exception e) when (e is IOException or PlatformNotSupportedException or UnauthorizedAccessException)
        {
            chipLock?.Dispose();
            throw new IOException($"The memory chip at address 0x{nvm.Address:x2} of I2C bus {nvm.Bus} cannot be used: {e.Message.TrimEnd('.')}.", e);
        }
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
}
