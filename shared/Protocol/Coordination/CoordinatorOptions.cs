using MirrorController.Protocol.Seams;

namespace MirrorController.Protocol.Coordination;

/// <summary>One board as the agent's configuration names it.</summary>
/// <param name="Name">The board's name.</param>
/// <param name="Address">Where the agent reaches it.</param>
/// <param name="PeerAddress">Where other boards reach it, if that differs.</param>
public sealed record BoardAddress(string Name, NodeAddress Address, NodeAddress? PeerAddress = null)
{
    /// <summary>Gets the address that other boards use.</summary>
    public NodeAddress ForPeers => PeerAddress ?? Address;
}

/// <summary>What a coordinator has to know, and its bounds.</summary>
public sealed record CoordinatorOptions
{
    /// <summary>Gets the volume's name.</summary>
    public required string Volume { get; init; }

    /// <summary>Gets the boards, in any order; a board's member number is in its label.</summary>
    public required IReadOnlyList<BoardAddress> Boards { get; init; }

    /// <summary>Gets the volume's secret.</summary>
    public required byte[] Secret { get; init; }

    /// <summary>Gets whether this is an authority only: it reconciles and writes nothing of its own (section 7).</summary>
    public bool AuthorityOnly { get; init; }

    /// <summary>Gets after how long a silent member is shown as away, in milliseconds.</summary>
    public long GraceMs { get; init; } = 30_000;

    /// <summary>Gets the bound of the replay buffer, counted in pinned chunks, in bytes.</summary>
    public long ReplayBufferMax { get; init; } = 64L << 20;

    /// <summary>Gets how much acknowledged data starts a flush in the background, in bytes.</summary>
    public long BackgroundFlushBytes { get; init; } = 8L << 20;

    /// <summary>Gets how long acknowledged data may wait for a flush in the background, in milliseconds.</summary>
    public long BackgroundFlushMs { get; init; } = 100;

    /// <summary>Gets how long the coordinator is idle before the watermark gets a message of its own (rule D4), in milliseconds.</summary>
    public long RetireIdleMs { get; init; } = 100;

    /// <summary>Gets after how long a failed write is sent again while views are not built (rule W7), in milliseconds.</summary>
    public long FaultRetryMs { get; init; } = 1000;

    /// <summary>Gets the shortest and the longest pause between attempts to open, in milliseconds.</summary>
    public long OpenRetryFirstMs { get; init; } = 1000;

    /// <summary>Gets the longest pause between attempts to open, in milliseconds.</summary>
    public long OpenRetryMaxMs { get; init; } = 60_000;
}
