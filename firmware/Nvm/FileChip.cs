using Microsoft.Win32.SafeHandles;
using MirrorController.Protocol.Seams;

namespace MirrorController.Firmware.Nvm;

/// <summary>An emulated memory chip in a file, without a bus and without timing: operations end within the loop's turn.</summary>
/// <remarks>
/// What was written is with the system at once and so survives the death of the process, as a chip's content survives a
/// power cut. The file is locked for this process; a second one is refused.
/// </remarks>
internal sealed class FileChip : INvm, IDisposable
{
    /// <summary>The size of the default chips, MB85RC256V and 24LC256, in bytes.</summary>
    public const int ChipBytes = 32 * 1024;

    private readonly ILoop _loop;
    private readonly SafeFileHandle _file;

    private FileChip(ILoop loop, SafeFileHandle file, string kind, int pageBytes)
    {
        _loop = loop;
        _file = file;
        Kind = kind;
        PageBytes = pageBytes;
    }

    /// <inheritdoc/>
    public string Kind { get; }

    /// <inheritdoc/>
    public int SizeBytes => ChipBytes;

    /// <inheritdoc/>
    public int PageBytes { get; }

    /// <summary>Opens a chip's file, or makes that of a new, blank chip.</summary>
    /// <exception cref="IOException">It is in use or no chip's file; the message is one sentence.</exception>
    public static FileChip Open(ILoop loop, string path, string kind, int pageBytes)
    {
        SafeFileHandle file;
        try
        {
            file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The chip's file {path} cannot be opened; another process may use it: {e.Message.TrimEnd('.')}.", e);
        }

        var length = RandomAccess.GetLength(file);
        if (length == 0)
        {
            RandomAccess.SetLength(file, ChipBytes);
        }
        else if (length != ChipBytes)
        {
            file.Dispose();
            throw new IOException($"The chip's file {path} has {length} bytes; a chip has {ChipBytes}.");
        }

        return new FileChip(loop, file, kind, pageBytes);
    }

    /// <inheritdoc/>
    public void Read(int address, Memory<byte> into, ICompletion done)
    {
        Check(address, into.Length);
        End(done, () => RandomAccess.Read(_file, into.Span, address));
    }

    /// <inheritdoc/>
    public void Write(int address, ReadOnlyMemory<byte> data, ICompletion done)
    {
        Check(address, data.Length);
        End(done, () => RandomAccess.Write(_file, data.Span, address));
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static void Check(int address, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(address);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(address, ChipBytes - length);
    }

    private void End(ICompletion done, Action transfer)
    {
        var status = IoStatus.Ok;
        try
        {
            transfer();
        }
        catch (IOException e)
        {
            status = new IoStatus($"The chip's file fails: {e.Message}");
        }

        _loop.Post(() => done.Completed(status));
    }
}
