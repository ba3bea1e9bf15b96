using MirrorController.Protocol.Seams;

namespace MirrorController.Firmware.Array;

/// <summary>What a board's node has to know.</summary>
public sealed record BoardOptions
{
    /// <summary>Gets the board's name.</summary>
    public required string Name { get; init; }

    /// <summary>Gets the address for the host agent and for other boards.</summary>
    public required NodeAddress Listen { get; init; }

    /// <summary>Gets the secret that proves who may use this board.</summary>
    public required byte[] Secret { get; init; }

    /// <summary>Gets among how many volumes a new chip is divided.</summary>
    public int VolumesMax { get; init; } = 1;

    /// <summary>Gets after how long without a write a retirement has a write of its own, in milliseconds (decision of the ring log).</summary>
    public long RetireIdleMs { get; init; } = 100;

    /// <summary>Gets for how long a disk may fail every write, or every sync, before the board opens it anew, in milliseconds.</summary>
    public long DiskTroubleMaxMs { get; init; } = 5000;

    /// <summary>Gets after how long a board whose chip or disk has failed starts again for the first time, in milliseconds.</summary>
    public long StartAgainFirstMs { get; init; } = 1000;
}

/// <summary>What was found where a board's disk should be.</summary>
public enum DiskFinding
{
    /// <summary>Nothing: no file yet. Creation makes it.</summary>
    Missing,

    /// <summary>A disk that can be used.</summary>
    Opened,

    /// <summary>A disk that cannot be used: locked, unreadable, no device.</summary>
    Refused,

    /// <summary>A block device that is not there: creation cannot make it.</summary>
    Absent,
}

/// <summary>The place of a board's disk: a file or a block device, and how it is opened and made.</summary>
public interface IDiskPlace
{
    /// <summary>Gets the kind and path, for messages.</summary>
    string Name { get; }

    /// <summary>Gets whether a block device must be there. A file is made by the creation: one that is there before is somebody's.</summary>
    bool IsDevice { get; }

    /// <summary>Opens the disk if it exists.</summary>
    /// <param name="device">The disk when it was opened.</param>
    /// <param name="sentence">Why it is refused.</param>
    DiskFinding Open(out IBlockDevice? device, out string sentence);

    /// <summary>Makes the disk: a new file that reads as zeroes, in the place of one that is there, or a block device that has at least this size.</summary>
    /// <remarks>Who calls it has judged what is there: it is gone afterwards.</remarks>
    /// <param name="sizeBytes">The size needed, label and maps included.</param>
    /// <param name="mustZero">Whether what was there must be zeroed whole before it is used: a block device.</param>
    /// <param name="sentence">Why it cannot be made.</param>
    IBlockDevice? Create(long sizeBytes, out bool mustZero, out string sentence);
}
