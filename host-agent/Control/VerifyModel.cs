namespace MirrorController.HostAgent.Control;

/// <summary>A range in which the members differ.</summary>
/// <param name="OffsetBytes">Where it begins.</param>
/// <param name="LengthBytes">Its length.</param>
internal sealed record DifferenceModel(long OffsetBytes, long LengthBytes);

/// <summary>What <c>verify</c> found.</summary>
internal sealed record VerifyModel
{
    public required string Volume { get; init; }

    /// <summary>Gets whether all members hold the same everywhere.</summary>
    public required bool Equal { get; init; }

    /// <summary>Gets how much was compared: all that is written on any board; what none has written is not read.</summary>
    public required long ComparedBytes { get; init; }

    /// <summary>Gets the volume's size.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Gets what had to be recovered first, without an agent; null when the agent compared.</summary>
    public RecoveryModel? Recovery { get; init; }

    /// <summary>Gets the ranges that differ, in order.</summary>
    public required IReadOnlyList<DifferenceModel> Differences { get; init; }

    public required long Milliseconds { get; init; }
}

/// <summary>One line of a running verify: where it is, or at its end the result or the fault.</summary>
internal sealed record VerifyLine
{
    public long DoneBytes { get; init; }

    public long TotalBytes { get; init; }

    public VerifyModel? Result { get; init; }

    public string? Fault { get; init; }
}
