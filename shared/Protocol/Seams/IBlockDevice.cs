namespace MirrorController.Protocol.Seams;

/// <summary>How an operation of a device or a chip ended: done, or an expected fault with one sentence.</summary>
public readonly record struct IoStatus(string? Fault)
{
    /// <summary>The operation was done.</summary>
    public static readonly IoStatus Ok;

    /// <summary>Gets whether the operation was done.</summary>
    public bool IsOk => Fault is null;
}

/// <summary>Who is told that an operation has ended. The operation's own object, so that no request allocates.</summary>
public interface ICompletion
{
    /// <summary>The operation has ended. Never called inside the call that began it.</summary>
    void Completed(IoStatus status);
}

/// <summary>A disk of a board: the member's data and label, by byte offset.</summary>
/// <remarks>
/// Operations may run at once and end in any order; who needs an order waits. A write that has ended is in the disk's
/// cache: a read returns it, a power cut may lose any 512-byte sector of it until a <see cref="Sync"/> that began after
/// the write had ended has itself ended well. After a failed sync everything written since the last good one is
/// doubtful, and a later good sync proves nothing about it (rule D1).
/// Syncs and synchronous writes end in the order in which they were begun: a system tells one of them, and only one, that it has
/// failed to write its cache back; whatever ended well behind that one must not be heard of before it.
/// Where an operation runs, on the loop or on a worker, is the back-end's choice by kind of disk.
/// </remarks>
public interface IBlockDevice
{
    /// <summary>Gets the size in bytes; offsets beyond it are refused with a fault.</summary>
    long SizeBytes { get; }

    /// <summary>Gets the physical sector in bytes: what the disk never tears.</summary>
    int PhysicalSectorBytes { get; }

    /// <summary>Gets a short description for messages: kind and path.</summary>
    string Name { get; }

    /// <summary>Writes into the disk's cache. The payload must stay referenced until the end.</summary>
    void Write(long offsetBytes, Payload payload, ICompletion done);

    /// <summary>Writes through to the medium: durable when it has ended well.</summary>
    void WriteSync(long offsetBytes, Payload payload, ICompletion done);

    /// <summary>Reads into <paramref name="into"/>.</summary>
    void Read(long offsetBytes, Slice into, ICompletion done);

    /// <summary>Makes a range read as zeroes, freeing room where the disk can.</summary>
    void Zero(long offsetBytes, long lengthBytes, ICompletion done);

    /// <summary>Makes durable every write that had ended before this call.</summary>
    void Sync(ICompletion done);

    /// <summary>Tells how many bytes from an offset are known to read as zeroes without being read: a hole. 0 where nothing is known.</summary>
    /// <param name="offsetBytes">Where to look.</param>
    /// <param name="lengthBytes">How far at most.</param>
    long KnownZeroBytes(long offsetBytes, long lengthBytes) => 0;

    /// <summary>Closes the disk without making anything durable.</summary>
    void Close();
}
