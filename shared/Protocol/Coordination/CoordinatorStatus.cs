using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Coordination;

/// <summary>What the volume can do now.</summary>
public enum VolumeState
{
    /// <summary>All members hold the same and take part.</summary>
    InSync,

    /// <summary>Serves, with blocks closed until all members are equal again (rule R5).</summary>
    Recovering,

    /// <summary>I/O is held for a member that is away.</summary>
    Waiting,

    /// <summary>Another session has the volume, or it cannot be opened any more.</summary>
    Failed,
}

/// <summary>A member's account in a status.</summary>
/// <param name="Board">The board's name.</param>
/// <param name="Member">Its member number; -1 while it is not known.</param>
/// <param name="Connection">Connected, Connecting, Disconnected or Refused.</param>
/// <param name="Sync">InSync, Replaying, Attaching, Away, Refused or Failing.</param>
/// <param name="Reason">Why it is not in sync, one sentence; null while it is.</param>
/// <param name="AwayMs">For how long it has not been in use; null while it is.</param>
/// <param name="State">The board's last account of itself.</param>
public sealed record MemberStatus(string Board, int Member, string Connection, string Sync, string? Reason, long? AwayMs, BoardState? State);

/// <summary>A coordinator's account of its volume.</summary>
public sealed record CoordinatorStatus
{
    public required string Volume { get; init; }

    public required VolumeState State { get; init; }

    public required CoordinatorPhase Phase { get; init; }

    public required long SizeBytes { get; init; }

    public required int BlockBytes { get; init; }

    public required uint Session { get; init; }

    public required IReadOnlyList<MemberStatus> Members { get; init; }

    public required RecoveryResult? LastRecovery { get; init; }

    /// <summary>Gets what the volume waits for, one sentence; null while it waits for nothing.</summary>
    public required string? WaitingFor { get; init; }

    /// <summary>Gets the acknowledged data that is not durable on all members yet, in bytes.</summary>
    public required long AtRiskBytes { get; init; }

    /// <summary>Gets the age of the oldest of it, in milliseconds.</summary>
    public required long AtRiskOldestMs { get; init; }

    /// <summary>Gets the writes in the replay buffer.</summary>
    public required int ReplayBufferWrites { get; init; }

    /// <summary>Gets the blocks closed to the application (rule R5).</summary>
    public required long ClosedBlocks { get; init; }

    /// <summary>Gets the blocks that no board could read: reading them is an error until they are overwritten (rule R2).</summary>
    public required IReadOnlyList<BlockRange> BadRanges { get; init; }

    public required IReadOnlyList<string> Warnings { get; init; }
}
