namespace MirrorController.Firmware.Disks;

/// <summary>Where a file disk writes and reads.</summary>
public enum DiskMode
{
    /// <summary>On the loop's thread, into the system's cache: fastest, as long as the system never throttles the writer.</summary>
    Inline,

    /// <summary>On a thread of its own: for a slow card whose dirty pages the system throttles, which would stall the loop.</summary>
    Worker,
}
