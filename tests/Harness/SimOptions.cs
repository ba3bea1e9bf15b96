namespace MirrorController.Tests.Harness;

/// <summary>The simulated world's habits; times are virtual.</summary>
public sealed record SimOptions
{
    /// <summary>Gets the longest time from an event to the turn that takes it in: what arrives within it shares a turn.</summary>
    public long TurnDelayMaxMicros { get; init; } = 30;

    /// <summary>Gets the shortest time of a piece on the way.</summary>
    public long NetDelayMinMicros { get; init; } = 20;

    /// <summary>Gets the longest time of a piece on the way.</summary>
    public long NetDelayMaxMicros { get; init; } = 300;

    /// <summary>Gets in how many places, at most, the bytes of one send are cut.</summary>
    public int NetCutsMax { get; init; } = 3;

    /// <summary>Gets how rarely a send's first bytes arrive one by one: once in so many times.</summary>
    public int NetByteByByteOneIn { get; init; } = 20;

    /// <summary>Gets the bytes that may be on the way or unread, for each direction of a connection.</summary>
    public int NetWindowBytes { get; init; } = 512 * 1024;

    /// <summary>Gets the shortest time of a disk's operation.</summary>
    public long DiskDelayMinMicros { get; init; }

    /// <summary>Gets the longest time of a disk's operation; operations end in any order within it.</summary>
    public long DiskDelayMaxMicros { get; init; } = 500;

    /// <summary>Gets the longest time from a disk operation's end to the moment at which the node hears of it: ends are reported in any order.</summary>
    public long DiskReportDelayMaxMicros { get; init; }

    /// <summary>Gets the time of a chip's transfer; 0 ends it within the turn.</summary>
    public long NvmDelayMaxMicros { get; init; }
}
