using MirrorController.Firmware.Array;
using MirrorController.Protocol.Seams;

namespace MirrorController.Firmware.Disks;

/// <summary>A path at which a board's disk is, or will be made: a file or a block device.</summary>
/// <param name="loop">The board's loop.</param>
/// <param name="path">The path.</param>
/// <param name="isDevice">Whether a block device must be there; a file is never made then.</param>
/// <param name="mode">Where file calls run.</param>
/// <param name="wrap">Puts an emulated cache before the disk, or null.</param>
public sealed class FileDiskPlace(ILoop loop, string path, bool isDevice, DiskMode mode, Func<FileDisk, IBlockDevice>? wrap = null) : IDiskPlace
{
    /// <inheritdoc/>
    public string Name { get; } = (isDevice ? "block device " : "file ") + path;

    /// <inheritdoc/>
    public bool IsDevice => isDevice;

    /// <summary>Gets the side file of the disk's emulated cache.</summary>
    public string CachePath => path + ".cache";

    /// <inheritdoc/>
    public DiskFinding Open(out IBlockDevice? device, out string sentence)
    {
        device = null;
        sentence = string.Empty;
        if (!Path.Exists(path))
        {
            sentence = $"The {Name} does not exist.";
            return isDevice ? DiskFinding.Absent : DiskFinding.Missing;
        }

        try
        {
            device = Wrap(FileDisk.Open(loop, path, mode));
            return DiskFinding.Opened;
        }
        catch (IOException e)
        {
            sentence = e.Message;
            return DiskFinding.Refused;
        }
        catch (UnauthorizedAccessException e)
        {
            sentence = e.Message;
            return DiskFinding.Refused;
        }
    }

    /// <inheritdoc/>
    public IBlockDevice? Create(long sizeBytes, out bool mustZero, out string sentence)
    {
        mustZero = isDevice;
        sentence = string.Empty;
        if (isDevice && !Path.Exists(path))
        {
            // Or a file would be made among the devices.
            sentence = $"The {Name} does not exist.";
            return null;
        }

        try
        {
            if (!isDevice && Path.Exists(path))
            {
                // Opened first: what another process uses is not taken away from it, nor a device's name from the system.
                var there = DiskPath.Open(path);
                there.File.Dispose();
                if (there.IsDevice)
                {
                    sentence = $"The {there.Description} is no file; the board's configuration has to say that its kind is device.";
                    return null;
                }

                // What a cut creation left, or what the operator said may go: a new file in its place reads as zeroes.
                File.Delete(path);
            }

            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            if (!isDevice)
            {
                // A cache that outlived its disk must not settle into the new one.
                File.Delete(CachePath);
            }

            return Wrap(FileDisk.Create(loop, path, sizeBytes, mode));
        }
        catch (IOException e)
        {
            sentence = e.Message;
        }
        catch (UnauthorizedAccessException e)
        {
            sentence = e.Message;
        }

        return null;
    }

    private IBlockDevice Wrap(FileDisk disk) => wrap is null ? disk : wrap(disk);
}
