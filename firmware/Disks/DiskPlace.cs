using MirrorController.Firmware.Array;
using MirrorController.Firmware.Configuration;
using MirrorController.Protocol.Seams;

namespace MirrorController.Firmware.Disks;

/// <summary>The place that a board's configuration names for its disk: a file, which creation makes, or a block device.</summary>
internal sealed class DiskPlace(DiskConfiguration configuration, ILoop loop) : IDiskPlace
{
    /// <inheritdoc/>
    public string Name => $"{(configuration.Kind == DiskKind.File ? "file" : "device")} {configuration.DiskPath}";

    /// <inheritdoc/>
    public DiskFinding Open(out IBlockDevice? device, out string sentence)
    {
        device = null;
        sentence = "";
        if (!Path.Exists(configuration.DiskPath))
        {
            if (configuration.Kind == DiskKind.File)
            {
                return DiskFinding.Missing;
            }

            sentence = $"The device {configuration.DiskPath} does not exist.";
            return DiskFinding.Refused;
        }

        try
        {
            device = FileDisk.Open(loop, configuration.DiskPath);
            return DiskFinding.Opened;
        }
        catch (IOException e)
        {
            sentence = e.Message;
            return DiskFinding.Refused;
        }
    }

    /// <inheritdoc/>
    public IBlockDevice? Create(long sizeBytes, out bool mustZero, out string sentence)
    {
        // A new file reads as zeroes; a device holds whatever was on it.
        mustZero = configuration.Kind == DiskKind.Device;
        sentence = "";
        try
        {
            RemoveOldFile();
            return FileDisk.Create(loop, configuration.DiskPath, sizeBytes);
        }
        catch (IOException e)
        {
            sentence = e.Message;
            return null;
        }
    }

    /// <summary>Whoever asks for a creation has judged what is there: what a cut creation left, or what may be wiped.</summary>
    private void RemoveOldFile()
    {
        if (configuration.Kind == DiskKind.File && Path.Exists(configuration.DiskPath))
        {
            // Opened first: a file that another process uses is not pulled away from under it.
            FileDisk.Open(loop, configuration.DiskPath).Close();
            File.Delete(configuration.DiskPath);
        }
    }
}
