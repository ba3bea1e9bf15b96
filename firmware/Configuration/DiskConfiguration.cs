using MirrorController.Runtime.Configuration;

namespace MirrorController.Firmware.Configuration;

/// <summary>The kinds of disk.</summary>
internal enum DiskKind
{
    /// <summary>A file; it is made when the volume is created.</summary>
    File,

    /// <summary>A block device.</summary>
    Device,
}

/// <summary>The disk that holds the board's mirror.</summary>
internal sealed record DiskConfiguration
{
    /// <summary>Gets the file or device.</summary>
    public required string DiskPath { get; init; }

    /// <summary>Gets the kind.</summary>
    public required DiskKind Kind { get; init; }

    /// <summary>Gets whether a volatile cache is emulated, which a death of the process loses.</summary>
    public required bool VolatileCache { get; init; }

    /// <summary>Says, in one sentence, that the block device is not there; null when it is, or when the disk is a file that a creation makes.</summary>
    public string? Missing() => Kind == DiskKind.Device && !Path.Exists(DiskPath)
        ? $"The block device {DiskPath} does not exist."
        : null;

    internal static DiskConfiguration Read(ConfigObject disk)
    {
        var path = disk.FilePath("path");
        var kind = disk.Choice("kind", "file", "file", "device");
        var cache = disk.Choice("cache", "none", "none", "volatile");
        disk.End();
        if (kind == "device" && cache == "volatile")
        {
            disk.Fault("cache", "\"cache\" is \"volatile\", which is emulated for files only; allowed for a device is none");
        }

        return new DiskConfiguration
        {
            DiskPath = path,
            Kind = kind == "file" ? DiskKind.File : DiskKind.Device,
            VolatileCache = cache == "volatile",
        };
    }
}
