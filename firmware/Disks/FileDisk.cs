using Microsoft.Win32.SafeHandles;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

namespace MirrorController.Firmware.Disks;

/// <summary>A disk in a sparse file, or on a block device.</summary>
/// <remarks>
/// Writes go into the system's cache, on the loop or on a worker (<see cref="DiskMode"/>). Syncs and synchronous writes
/// always go to a worker of their own, so that neither the loop nor a write waits behind them.
/// The disk is locked for this process; a second one is refused.
/// </remarks>
public sealed class FileDisk : IBlockDevice, IDisposable
{
    private const int ZeroPieceBytes = 256 * 1024;
    private static readonly byte[] _zeroes = new byte[ZeroPieceBytes];

    private readonly ILoop _loop;
    private readonly Worker _syncWorker;
    private readonly Worker? _worker;
    private readonly Stack<FileDiskJob> _free = new();
    private bool _closed;

    private FileDisk(ILoop loop, DiskPath disk, DiskMode mode)
    {
        _loop = loop;
        File = disk.File;
        SizeBytes = disk.SizeBytes;
        PhysicalSectorBytes = disk.PhysicalSectorBytes;
        Name = disk.Description;
        _syncWorker = new Worker(loop, "disk sync");
        _worker = mode == DiskMode.Worker ? new Worker(loop, "disk") : null;
    }

    /// <inheritdoc/>
    public long SizeBytes { get; }

    /// <inheritdoc/>
    public int PhysicalSectorBytes { get; }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>Gets the open file, for the cache that stands before this disk.</summary>
    internal SafeFileHandle File { get; }

    /// <summary>Opens a disk that exists.</summary>
    /// <exception cref="IOException">It does not exist, is in use, or cannot be opened; the message is one sentence.</exception>
    public static FileDisk Open(ILoop loop, string path, DiskMode mode = DiskMode.Inline) =>
        new(loop, DiskPath.Open(path), mode);

    /// <summary>Makes a new sparse file of a size, or takes a block device that has at least this size.</summary>
    /// <exception cref="IOException">The file exists, the device is too small, or neither can be opened; the message is one sentence.</exception>
    public static FileDisk Create(ILoop loop, string path, long sizeBytes, DiskMode mode = DiskMode.Inline) =>
        new(loop, DiskPath.Create(path, sizeBytes), mode);

    /// <inheritdoc/>
    public void Write(long offsetBytes, Payload payload, ICompletion done) =>
        Start(DiskWork.Write, offsetBytes, payload.Length, payload, default, done);

    /// <inheritdoc/>
    public void WriteSync(long offsetBytes, Payload payload, ICompletion done) =>
        Start(DiskWork.WriteSync, offsetBytes, payload.Length, payload, default, done);

    /// <inheritdoc/>
    public void Read(long offsetBytes, Slice into, ICompletion done) =>
        Start(DiskWork.Read, offsetBytes, into.Length, null, into, done);

    /// <inheritdoc/>
    public void Zero(long offsetBytes, long lengthBytes, ICompletion done) =>
        Start(DiskWork.Zero, offsetBytes, lengthBytes, null, default, done);

    /// <inheritdoc/>
    public void Sync(ICompletion done) => Start(DiskWork.Sync, 0, 0, null, default, done);

    /// <inheritdoc/>
    public long KnownZeroBytes(long offsetBytes, long lengthBytes) => _closed ? 0 : BlockDeviceCalls.HoleBytes(File, offsetBytes, lengthBytes);

    /// <inheritdoc/>
    public void Close()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        _syncWorker.Dispose();
        _worker?.Dispose();
        // The handle counts its users: a call that a worker is in ends before the file is closed.
        File.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose() => Close();

    /// <summary>Does an operation, on whichever thread.</summary>
    internal IoStatus Do(FileDiskJob job)
    {
        try
        {
            return job.Kind switch
            {
                DiskWork.Write => FileCalls.Write(File, job.OffsetBytes, job.Payload!),
                DiskWork.WriteSync => FileCalls.WriteDurably(File, job.OffsetBytes, job.Payload!),
                DiskWork.Read => FileCalls.Read(File, job.OffsetBytes, job.Into.Span),
                DiskWork.Zero => ZeroNow(job.OffsetBytes, job.LengthBytes),
                _ => FileCalls.Sync(File),
            };
        }
        catch (ObjectDisposedException)
        {
            // Closed while the operation waited for the worker.
            return new IoStatus("The disk is closed.");
        }
    }

    internal void Recycle(FileDiskJob job) => _free.Push(job);

    /// <summary>Makes a range read as zeroes: a hole where the system can, zeroes where it cannot.</summary>
    internal IoStatus ZeroNow(long offsetBytes, long lengthBytes)
    {
        if (lengthBytes == 0 || BlockDeviceCalls.TryPunchHole(File, offsetBytes, lengthBytes))
        {
            return IoStatus.Ok;
        }

        while (lengthBytes > 0)
        {
            var n = (int)Math.Min(lengthBytes, ZeroPieceBytes);
            var status = FileCalls.Write(File, offsetBytes, _zeroes.AsSpan(0, n));
            if (!status.IsOk)
            {
                return status;
            }

            offsetBytes += n;
            lengthBytes -= n;
        }

        return IoStatus.Ok;
    }

    private void Start(DiskWork kind, long offsetBytes, long lengthBytes, Payload? payload, Slice into, ICompletion done)
    {
        var job = _free.TryPop(out var pooled) ? pooled : new FileDiskJob(this);
        job.Set(kind, offsetBytes, lengthBytes, payload, into, done);
        if (_closed)
        {
            job.Refuse("The disk is closed.");
        }
        else if (offsetBytes < 0 || lengthBytes < 0 || lengthBytes > SizeBytes || offsetBytes > SizeBytes - lengthBytes)
        {
            job.Refuse($"The range {offsetBytes}+{lengthBytes} is beyond the disk's {SizeBytes} bytes.");
        }

        if (kind is DiskWork.Sync or DiskWork.WriteSync && !_closed)
        {
            _syncWorker.Queue(job);
        }
        else if (_worker is not null && !_closed)
        {
            _worker.Queue(job);
        }
        else
        {
            job.WorkInline(_loop);
        }
    }
}
