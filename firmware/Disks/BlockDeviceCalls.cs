using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace MirrorController.Firmware.Disks;

/// <summary>Kernel interfaces for disks: the size of a block device, and holes in files.</summary>
internal static unsafe partial class BlockDeviceCalls
{
    // _IOR(0x12, 114, size_t), and _IO(0x12, 123): the same on x86-64 and arm64.
    private const nuint GetSizeBytes = 0x80081272;
    private const nuint GetPhysicalSector = 0x127B;
    private const int KeepSize = 1;
    private const int PunchHole = 2;
    private const int SeekData = 3;
    private const int NoSuchAddress = 6;

    /// <summary>Gets size and physical sector, if the file is a block device: the length of such a file means nothing.</summary>
    public static bool TryGetSize(SafeFileHandle file, out long sizeBytes, out int sectorBytes)
    {
        sizeBytes = 0;
        sectorBytes = 512;
        if (!OperatingSystem.IsLinux() || IntPtr.Size != 8)
        {
            return false;
        }

        ulong size;
        if (IoControl(file, GetSizeBytes, &size) != 0)
        {
            return false;
        }

        sizeBytes = (long)size;
        uint sector;
        if (IoControl(file, GetPhysicalSector, &sector) == 0 && sector >= 512)
        {
            sectorBytes = (int)sector;
        }

        return true;
    }

    /// <summary>Makes a range read as zeroes by freeing it; false where the file system or device cannot.</summary>
    public static bool TryPunchHole(SafeFileHandle file, long offsetBytes, long lengthBytes) =>
        OperatingSystem.IsLinux() && IntPtr.Size == 8 && Allocate(file, PunchHole | KeepSize, offsetBytes, lengthBytes) == 0;

    /// <summary>Tells how many bytes from an offset are a hole of a file; 0 where there is data or nothing can be told.</summary>
    public static long HoleBytes(SafeFileHandle file, long offsetBytes, long lengthBytes)
    {
        if (!OperatingSystem.IsLinux() || IntPtr.Size != 8)
        {
            return 0;
        }

        var data = Seek(file, offsetBytes, SeekData);
        if (data < 0)
        {
            // No data from here to the end of the file; any other error tells nothing.
            return Marshal.GetLastPInvokeError() == NoSuchAddress ? lengthBytes : 0;
        }

        return Math.Min(data - offsetBytes, lengthBytes);
    }

    [SupportedOSPlatform("linux")]
    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long Seek(SafeHandle file, long offsetBytes, int whence);

    [SupportedOSPlatform("linux")]
    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int IoControl(SafeHandle file, nuint request, void* argument);

    [SupportedOSPlatform("linux")]
    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int Allocate(SafeHandle file, int mode, long offsetBytes, long lengthBytes);
}
