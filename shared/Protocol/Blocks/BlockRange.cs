namespace MirrorController.Protocol.Blocks;

/// <summary>Consecutive blocks of a volume.</summary>
/// <param name="Start">The address of the first block: object (24 bits) &lt;&lt; 40 | block. A block volume is object 0.</param>
/// <param name="Count">The number of blocks, at least 1 in a valid range.</param>
public readonly record struct BlockRange(long Start, int Count)
{
    /// <summary>Gets the address behind the last block.</summary>
    public long End => Start + Count;

    /// <summary>Tells whether both ranges have a block in common.</summary>
    public bool Overlaps(BlockRange other) => Start < other.End && other.Start < End;

    /// <summary>Tells whether every block of <paramref name="other"/> is in this range.</summary>
    public bool Contains(BlockRange other) => Start <= other.Start && other.End <= End;

    /// <summary>Makes the range from a start to an end (exclusive).</summary>
    public static BlockRange FromTo(long start, long end) => new(start, checked((int)(end - start)));

    /// <inheritdoc/>
    public override string ToString() => Count == 1 ? $"block {Start}" : $"blocks {Start}..{End - 1}";
}

/// <summary>Something that covers blocks.</summary>
public interface IBlockRanged
{
    /// <summary>Gets the blocks.</summary>
    BlockRange Range { get; }
}
