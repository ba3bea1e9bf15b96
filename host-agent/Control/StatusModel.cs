namespace MirrorController.HostAgent.Control;

/// <summary>How a volume is; the names are fixed, scripts rely on them.</summary>
internal enum VolumeState
{
    /// <summary>Every member is in sync and may be read.</summary>
    InSync,

    /// <summary>Served with some blocks closed until they are equal and durable again (R5).</summary>
    Recovering,

    /// <summary>I/O is held for a member.</summary>
    Waiting,

    /// <summary>Served without some member.</summary>
    Degraded,

    /// <summary>Served while a member is brought up to date.</summary>
    Resyncing,

    /// <summary>Two histories; the operator chooses.</summary>
    SplitBrain,

    /// <summary>Not served any more: another session has it, or it cannot be opened.</summary>
    Failed,
}

/// <summary>How the agent's connection to a board is.</summary>
internal enum MemberConnection
{
    /// <summary>It stands and the board has proven the secret.</summary>
    Connected,

    /// <summary>An attempt is under way.</summary>
    Connecting,

    /// <summary>There is none.</summary>
    Disconnected,

    /// <summary>The board refused, or was refused.</summary>
    Refused,
}

/// <summary>How far a member's data is.</summary>
internal enum MemberSync
{
    /// <summary>Not known yet.</summary>
    Unknown,

    /// <summary>It may be read.</summary>
    InSync,

    /// <summary>It answers and is being taken in.</summary>
    Attaching,

    /// <summary>It gets again what it lost at its restart (B2).</summary>
    Replaying,

    /// <summary>Blocks are compared and copied.</summary>
    Recovering,

    /// <summary>It does not answer, and the grace time is not over.</summary>
    Disconnected,

    /// <summary>It does not answer, and the grace time is over.</summary>
    Away,

    /// <summary>Its disk or chip fails (W7), or its disk is not there.</summary>
    Failing,

    /// <summary>It answers, but is blank, foreign, a restored image, or another board than the one configured; the reason says what helps.</summary>
    Refused,
}

/// <summary>What <c>status --json</c> prints.</summary>
internal sealed record StatusModel
{
    /// <summary>Gets the agent's version.</summary>
    public required string Version { get; init; }

    /// <summary>Gets the volumes.</summary>
    public required IReadOnlyList<VolumeModel> Volumes { get; init; }

    /// <summary>Tells whether a list holds nothing where something must be, or a number is none: the serializer looks at properties only.</summary>
    public bool HasHoles() => Volumes.Any(v => v is null || v.Members.Any(m => m is null || !double.IsFinite(m.NvmUsedPercent ?? 0)) || v.Warnings.Any(w => w is null));
}

/// <summary>One volume of the status.</summary>
internal sealed record VolumeModel
{
    public required string Name { get; init; }

    public required VolumeState State { get; init; }

    public required long SizeBytes { get; init; }

    /// <summary>Gets the NBD URI.</summary>
    public required string Nbd { get; init; }

    public required IReadOnlyList<MemberModel> Members { get; init; }

    /// <summary>Gets the last reconciliation; null before the first.</summary>
    public RecoveryModel? LastRecovery { get; init; }

    /// <summary>Gets which member the I/O waits for, why and since when, as a sentence; null when it does not wait.</summary>
    public string? WaitingFor { get; init; }

    /// <summary>Gets what is acknowledged and not yet durable.</summary>
    public required AtRiskModel AtRisk { get; init; }

    /// <summary>Gets the session that serves; 0 before an opening.</summary>
    public required long Session { get; init; }

    /// <summary>Gets what a further failure would do, as a sentence.</summary>
    public string? Outlook { get; init; }

    /// <summary>Gets what the operator should know, each one a sentence.</summary>
    /// <remarks>The serializer sets null where the key is missing.</remarks>
    public IReadOnlyList<string> Warnings { get; init => field = value ?? []; } = [];
}

/// <summary>One member of a volume.</summary>
internal sealed record MemberModel
{
    /// <summary>Gets the board's name.</summary>
    public required string Board { get; init; }

    /// <summary>Gets the member's number.</summary>
    public required int Member { get; init; }

    public required MemberConnection Connection { get; init; }

    public required MemberSync Sync { get; init; }

    /// <summary>Gets why it is so, as a sentence without its full stop; null when all is well.</summary>
    public string? Reason { get; init; }

    /// <summary>Gets since when it is so, in UTC.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Gets the memory chip's kind; null before the board was reached.</summary>
    public string? NvmKind { get; init; }

    /// <summary>Gets how full the tag table is; null before the board was reached.</summary>
    public double? NvmUsedPercent { get; init; }
}

/// <summary>A reconciliation that has ended.</summary>
/// <param name="PlannedBlocks">Blocks that were compared.</param>
/// <param name="CopiedBytes">Bytes that differed and were copied.</param>
/// <param name="Milliseconds">How long it took.</param>
internal sealed record RecoveryModel(long PlannedBlocks, long CopiedBytes, long Milliseconds);

/// <summary>Acknowledged writes that a loss of every copy in memory would lose.</summary>
/// <param name="Bytes">How many bytes.</param>
/// <param name="OldestMs">The age of the oldest in milliseconds.</param>
internal sealed record AtRiskModel(long Bytes, long OldestMs);
