using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Tags;

namespace MirrorController.Protocol.Recovery;

/// <summary>An entry of a member's tag table, as the planner needs it.</summary>
/// <param name="Tag">The write.</param>
/// <param name="Range">Its blocks.</param>
/// <param name="Sure">Whether a read of that member returns the write's data.</param>
public readonly record struct RecoveryEntry(Tag Tag, BlockRange Range, bool Sure);

/// <summary>What rule R1 collects from one in-sync member.</summary>
public sealed class MemberTable
{
    /// <summary>Gets the member's number.</summary>
    public required int Member { get; init; }

    /// <summary>Gets its retired mark R.</summary>
    public required Tag Retired { get; init; }

    /// <summary>Gets the entries of its tag table, of whatever session and in any order.</summary>
    public IReadOnlyList<RecoveryEntry> Entries { get; init; } = [];

    /// <summary>Gets its repair marks: ranges that an earlier reconciliation was overwriting.</summary>
    public IReadOnlyList<BlockRange> Marks { get; init; } = [];

    /// <summary>Gets the ranges that it could not read, found while hashing under an earlier attempt.</summary>
    public IReadOnlyList<BlockRange> Unreadable { get; init; } = [];
}
