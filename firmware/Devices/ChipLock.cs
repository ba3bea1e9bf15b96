using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MirrorController.Firmware.Devices;

/// <summary>Holds one chip of an I2C bus for one process: a second one that wrote to its log would make stored entries vanish.</summary>
/// <remarks>
/// A lock of one byte, at the chip's address, of the bus' device file: chips on one bus do not lock each other out, nothing has to be
/// writable but the bus, and it ends with the process, however that ends. It is one of the open file (fcntl(2), F_OFD_SETLK), so that a
/// library that opens and closes the same bus does not undo it.
/// </remarks>
internal sealed unsafe partial class ChipLock : IDisposable
{
    private const int SetLock = 37;
    private const short WriteLock = 1;

    private readonly SafeFileHandle _bus;

    private ChipLock(SafeFileHandle bus) => _bus = bus;

    /// <summary>Locks a chip; for Linux.</summary>
    /// <param name="busPath">The bus' device file, such as <c>/dev/i2c-1</c>.</param>
    /// <param name="address">The chip's address.</param>
    /// <exception cref="IOException">Another process has it, or the bus cannot be opened; the message is one sentence.</exception>
    public static ChipLock Take(string busPath, int address)
    {
        var bus = File.OpenHandle(busPath, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var region = new Region { Type = WriteLock, Start = address, Length = 1 };
        if (Control(bus, SetLock, &region) != 0)
        {
            bus.Dispose();
            throw new IOException($"The chip at address 0x{address:x2} of {busPath} is in use by another process.");
        }

        return new ChipLock(bus);
    }

    /// <inheritdoc/>
    public void Dispose() => _bus.Dispose();

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, int command, Region* region);

    /// <summary>The kernel's struct flock, the same on x86-64 and arm64.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Region
    {
        public short Type;
        public short Whence;
        public long Start;
        public long Length;
        public int Process;
    }
}
