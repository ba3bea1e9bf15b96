using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace MirrorController.Runtime;

/// <summary>A small file in memory: what is stored in it is in the file at once, also when the process is killed at the next instruction.</summary>
/// <remarks>For files of emulated devices only: a fault of the disk below would end the process, and a power cut of the machine may lose everything.</remarks>
public sealed unsafe class MappedFile : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _bytes;
    private readonly int _length;
    private bool _disposed;

    /// <summary>Maps the first bytes of a file and takes it over.</summary>
    /// <param name="file">Open for reading and writing.</param>
    /// <param name="length">The bytes to map; where the file is shorter, zeroes are written behind its end first.</param>
    /// <exception cref="IOException">The file system has no room, or cannot map.</exception>
    public MappedFile(SafeFileHandle file, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        _file = file;
        _length = length;
        var present = RandomAccess.GetLength(file);
        if (present < length)
        {
            // Written, not only lengthened: a hole that finds no room later would end the process.
            RandomAccess.Write(file, new byte[length - present], present);
        }

        _map = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
        _view = _map.CreateViewAccessor(0, length, MemoryMappedFileAccess.ReadWrite);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _bytes);
        _bytes += _view.PointerOffset;
    }

    /// <summary>Gets the bytes.</summary>
    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return new Span<byte>(_bytes, _length);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
        _file.Dispose();
    }
}
