using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;

namespace MirrorController.Protocol.Recovery;

/// <summary>Blocks to compare with one member and to copy from it where they differ.</summary>
/// <param name="Range">The blocks: at most <see cref="RecoveryPlanner.StepBytesMax"/>.</param>
/// <param name="Source">The member to copy from.</param>
/// <param name="Targets">The members to copy to: all other in-sync ones.</param>
/// <param name="OldestVersion">The lowest of the source's versions in the range, for the log; <see cref="Tag.None"/> where no entry of it covers a block.</param>
/// <param name="NewestVersion">The highest of the source's versions in the range, for the log.</param>
public readonly record struct CopyStep(BlockRange Range, int Source, MemberSet Targets, Tag OldestVersion, Tag NewestVersion);

/// <summary>What a reconciliation does, made by <see cref="RecoveryPlanner"/>. All lists are in block order and disjoint.</summary>
public sealed class CopyPlan
{
    /// <summary>Gets the highest R of the in-sync members: nothing at or below it was planned for.</summary>
    public required Tag HighestRetired { get; init; }

    /// <summary>Gets what to compare and copy.</summary>
    public required IReadOnlyList<CopyStep> Steps { get; init; }

    /// <summary>Gets the blocks that no in-sync member can read: reads give an error until they are overwritten.</summary>
    public required IReadOnlyList<BlockRange> BadRanges { get; init; }

    /// <summary>
    /// Gets the blocks that are closed to the application until they are durable on all in-sync members (rule R5): all that an
    /// entry or a mark covers, also where nothing is to copy.
    /// </summary>
    public required IReadOnlyList<BlockRange> CoveredRanges { get; init; }

    /// <summary>Gets the number of blocks in <see cref="Steps"/>, each counted once, however many targets it has.</summary>
    public required long PlannedBlocks { get; init; }
}
