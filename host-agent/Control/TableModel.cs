namespace MirrorController.HostAgent.Control;

/// <summary>A board's tag table, as <c>table show BOARD --json</c> prints it.</summary>
internal sealed record TableModel
{
    public required string Board { get; init; }

    public required string Volume { get; init; }

    public required IReadOnlyList<TableEntryModel> Entries { get; init; }

    /// <summary>Gets the durable mark D, as a tag.</summary>
    public required ulong Durable { get; init; }

    /// <summary>Gets the retired mark R, as a tag.</summary>
    public required ulong Retired { get; init; }

    /// <summary>Gets the ranges under a repair mark.</summary>
    public IReadOnlyList<TableMarkModel> Marks { get; init => field = value ?? []; } = [];

    public required NvmModel Nvm { get; init; }
}

/// <summary>An entry of a tag table.</summary>
/// <param name="Tag">The write's tag: session number (24 bits) and sequence (40 bits).</param>
/// <param name="Generator">Whose write it was.</param>
/// <param name="Block">The first block.</param>
/// <param name="Count">The number of blocks.</param>
/// <param name="Sure">Whether a read of this board is known to return the write's data.</param>
internal sealed record TableEntryModel(ulong Tag, int Generator, long Block, long Count, bool Sure);

/// <summary>A range that a reconciliation was overwriting.</summary>
internal sealed record TableMarkModel(long Block, long Count);

/// <summary>A board's memory chip.</summary>
internal sealed record NvmModel
{
    /// <summary>Gets the kind: <c>fram</c> or <c>eeprom</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Gets the kind and the chip's name.</summary>
    public string? Chip { get; init; }

    public required long SizeBytes { get; init; }

    public required long UsedBytes { get; init; }

    /// <summary>Gets the bytes of entries written since the board's start.</summary>
    public required long BytesWritten { get; init; }

    /// <summary>Gets the bytes of D, R, checkpoints and copied-forward records written since the board's start.</summary>
    public long BytesOverhead { get; init; }

    /// <summary>Gets the batches committed since the board's start.</summary>
    public required long Commits { get; init; }
}
