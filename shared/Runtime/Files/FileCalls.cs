using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime;

/// <summary>Blocking calls on an open file; expected faults come back as a status with one sentence.</summary>
public static class FileCalls
{
    private const int VectorsMax = 16;
    private static volatile bool _noDurableWrite = !OperatingSystem.IsLinux() || IntPtr.Size != 8;

    /// <summary>Writes a payload into the system's cache.</summary>
    public static IoStatus Write(SafeFileHandle file, long offsetBytes, Payload payload)
    {
        foreach (var slice in payload.Slices)
        {
            var status = Write(file, offsetBytes, slice.Span);
            if (!status.IsOk)
            {
                return status;
            }

            offsetBytes += slice.Length;
        }

        return IoStatus.Ok;
    }

    /// <summary>Writes bytes into the system's cache.</summary>
    public static IoStatus Write(SafeFileHandle file, long offsetBytes, ReadOnlySpan<byte> data)
    {
        try
        {
            RandomAccess.Write(file, data, offsetBytes);
            return IoStatus.Ok;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new IoStatus(Sentence("Writing", e));
        }
    }

    /// <summary>Reads until the buffer is full; the end of the file is a fault.</summary>
    public static IoStatus Read(SafeFileHandle file, long offsetBytes, Span<byte> into)
    {
        try
        {
            while (!into.IsEmpty)
            {
                var n = RandomAccess.Read(file, into, offsetBytes);
                if (n == 0)
                {
                    return new IoStatus("Reading failed: the file is shorter than it was.");
                }

                into = into[n..];
                offsetBytes += n;
            }

            return IoStatus.Ok;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new IoStatus(Sentence("Reading", e));
        }
    }

    /// <summary>Writes a payload through to the medium: with one call where the system has it, else by a write and a sync.</summary>
    public static IoStatus WriteDurably(SafeFileHandle file, long offsetBytes, Payload payload)
    {
        if (OperatingSystem.IsLinux() && !_noDurableWrite && payload.Slices.Length <= VectorsMax
            && TryWriteVectors(file, offsetBytes, payload, out var status))
        {
            return status;
        }

        status = Write(file, offsetBytes, payload);
        return status.IsOk ? Sync(file) : status;
    }

    /// <summary>Makes the file's data durable.</summary>
    public static IoStatus Sync(SafeFileHandle file)
    {
        if (OperatingSystem.IsLinux())
        {
            // Not tried again after a signal or any fault: a second sync that succeeds proves nothing about the first (rule D1).
            return LinuxCalls.DataSync(file) == 0
                ? IoStatus.Ok
                : new IoStatus($"Syncing failed: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        try
        {
            RandomAccess.FlushToDisk(file);
            return IoStatus.Ok;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new IoStatus(Sentence("Syncing", e));
        }
    }

    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    private static unsafe bool TryWriteVectors(SafeFileHandle file, long offsetBytes, Payload payload, out IoStatus status)
    {
        var vectors = stackalloc LinuxCalls.IoVector[VectorsMax];
        var count = 0;
        foreach (var slice in payload.Slices)
        {
            var start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(slice.Chunk.Bytes));
            vectors[count++] = new LinuxCalls.IoVector { Base = start + slice.Offset, Length = (nuint)slice.Length };
        }

        status = IoStatus.Ok;
        nint n;
        try
        {
            n = LinuxCalls.WriteVectors(file, vectors, count, offsetBytes, LinuxCalls.WriteDurably);
        }
        catch (EntryPointNotFoundException)
        {
            _noDurableWrite = true;
            return false;
        }

        if (n == payload.Length)
        {
            return true;
        }

        if (n < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error is LinuxCalls.NoSuchCall or LinuxCalls.NotSupported)
            {
                _noDurableWrite = true;
                return false;
            }

            status = new IoStatus($"Writing durably failed: {Marshal.GetLastPInvokeErrorMessage()}.");
            return true;
        }

        // A short write: the slow way does the whole of it again.
        return false;
    }

    private static string Sentence(string what, Exception e) => $"{what} failed: {e.Message.TrimEnd('.')}.";
}
