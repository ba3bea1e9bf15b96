using Microsoft.Win32.SafeHandles;

namespace MirrorController.Firmware.Disks;

/// <summary>A file or a block device, opened and locked for this process.</summary>
internal sealed record DiskPath(SafeFileHandle File, long SizeBytes, int PhysicalSectorBytes, string Description)
{
    /// <summary>What a file on a file system of 4 KiB blocks never tears; smaller devices are welcome to it.</summary>
    private const int FileSectorBytes = 512;

    public bool IsDevice => Description.StartsWith("block", StringComparison.Ordinal);

    public static DiskPath Open(string path)
    {
        if (!Path.Exists(path))
        {
            throw new IOException($"The disk {path} does not exist.");
        }

        var file = OpenHandle(path, FileMode.Open);
        try
        {
            if (BlockDeviceCalls.TryGetSize(file, out var deviceBytes, out var sectorBytes))
            {
                return new DiskPath(file, deviceBytes, sectorBytes, "block device " + path);
            }

            return new DiskPath(file, RandomAccess.GetLength(file), FileSectorBytes, "file " + path);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public static DiskPath Create(string path, long sizeBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sizeBytes);
        if (Path.Exists(path))
        {
            var disk = Open(path);
            if (disk.IsDevice && disk.SizeBytes >= sizeBytes)
            {
                return disk;
            }

            disk.File.Dispose();
            throw new IOException(disk.IsDevice
                ? $"The {disk.Description} has {disk.SizeBytes} bytes, {sizeBytes} are needed."
                : $"The file {path} exists already.");
        }

        var file = OpenHandle(path, FileMode.CreateNew);
        try
        {
            // Sparse: room is taken when it is written.
            RandomAccess.SetLength(file, sizeBytes);
            return new DiskPath(file, sizeBytes, FileSectorBytes, "file " + path);
        }
        catch
        {
            file.Dispose();
            System.IO.File.Delete(path);
            throw;
        }
    }

    private static SafeFileHandle OpenHandle(string path, FileMode mode)
    {
        SafeFileHandle file;
        try
        {
            // No sharing: the system's lock keeps a second process out, and goes with ours, however it ends.
            file = System.IO.File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The disk {path} may not be opened by this user.", e);
        }
        catch (IOException e) when (Path.Exists(path) && mode == FileMode.Open)
        {
            throw new IOException($"The disk {path} cannot be opened; another process may use it: {e.Message.TrimEnd('.')}.", e);
        }

        return file;
    }
}
