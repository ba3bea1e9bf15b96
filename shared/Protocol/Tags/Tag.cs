namespace MirrorController.Protocol.Tags;

/// <summary>The unique number of a write: session (24 bits) and sequence within it (40 bits). Never reused.</summary>
/// <remarks>
/// A later overlapping write always has the higher tag, whichever generator it came from: all generators of a session
/// draw from one sequence. A session's start is its sequence 0; the first tag drawn has sequence 1. [0026] of the patent.
/// </remarks>
public readonly record struct Tag(ulong Value) : IComparable<Tag>
{
    /// <summary>The bits of the sequence.</summary>
    public const int SequenceBits = 40;

    /// <summary>The highest sequence.</summary>
    public const ulong SequenceMax = (1UL << SequenceBits) - 1;

    /// <summary>Below every tag.</summary>
    public static readonly Tag None;

    /// <summary>Gets the session's number.</summary>
    public uint Session => (uint)(Value >> SequenceBits);

    /// <summary>Gets the number within the session.</summary>
    public ulong Sequence => Value & SequenceMax;

    /// <summary>Makes a tag.</summary>
    public static Tag Of(uint session, ulong sequence)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(session, 0xFFFFFFu);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sequence, SequenceMax);
        return new Tag(((ulong)session << SequenceBits) | sequence);
    }

    public static bool operator <(Tag a, Tag b) => a.Value < b.Value;

    public static bool operator >(Tag a, Tag b) => a.Value > b.Value;

    public static bool operator <=(Tag a, Tag b) => a.Value <= b.Value;

    public static bool operator >=(Tag a, Tag b) => a.Value >= b.Value;

    /// <summary>Gets the higher of two tags.</summary>
    public static Tag Max(Tag a, Tag b) => a.Value >= b.Value ? a : b;

    /// <summary>Gets the lower of two tags.</summary>
    public static Tag Min(Tag a, Tag b) => a.Value <= b.Value ? a : b;

    /// <inheritdoc/>
    public int CompareTo(Tag other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => $"{Session}.{Sequence}";
}
