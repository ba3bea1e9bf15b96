namespace MirrorController.Protocol.Seams;

/// <summary>How a volume's request ended, in the errors of the NBD specification.</summary>
public enum VolumeError
{
    /// <summary>Done.</summary>
    None = 0,

    /// <summary>The data cannot be read, or no member took it.</summary>
    Io = 5,

    /// <summary>The request is outside the volume or not allowed.</summary>
    Invalid = 22,

    /// <summary>The volume has no room.</summary>
    NoSpace = 28,

    /// <summary>The volume is going down, or another session has it.</summary>
    Shutdown = 108,
}

/// <summary>Who is told that a volume's request has ended.</summary>
public interface IVolumeCompletion
{
    /// <summary>The request has ended. Never called inside the call that began it.</summary>
    /// <param name="error">The outcome.</param>
    /// <param name="data">For a read that is done, the data, lent for the call; else null.</param>
    void Completed(VolumeError error, Payload? data);
}

/// <summary>A volume as the application's side sees it. Offsets and lengths are bytes and need no alignment.</summary>
/// <remarks>
/// Requests may be in flight together and end in any order. A request waits as long as the volume has to.
/// A request must not cross a boundary of 256 KiB of the volume: who has a longer one cuts it there, into parts.
/// </remarks>
public interface IVolume
{
    /// <summary>Gets the volume's name.</summary>
    string Name { get; }

    /// <summary>Gets the size in bytes; 0 while it is not known yet: then there is nothing to serve.</summary>
    long SizeBytes { get; }

    /// <summary>Gets the block in bytes: requests that keep to it are cheapest.</summary>
    int BlockBytes { get; }

    /// <summary>Gives an application (one NBD client) its generator's number, [0031] of the seed: it goes with the application's writes.</summary>
    int OpenGenerator();

    /// <summary>Tells that the application has gone.</summary>
    void CloseGenerator(int generator);

    /// <summary>Reads at most 256 KiB.</summary>
    void Read(long offsetBytes, int lengthBytes, IVolumeCompletion done);

    /// <summary>Writes at most 256 KiB; takes a reference of the payload if it needs one.</summary>
    /// <param name="generator">From <see cref="OpenGenerator"/>.</param>
    /// <param name="offsetBytes">Where.</param>
    /// <param name="payload">The data, complete.</param>
    /// <param name="fua">Whether the write must be durable when it has ended.</param>
    /// <param name="done">Who is told.</param>
    void Write(int generator, long offsetBytes, Payload payload, bool fua, IVolumeCompletion done);

    /// <summary>Makes durable every write that had ended before this call.</summary>
    void Flush(IVolumeCompletion done);
}
