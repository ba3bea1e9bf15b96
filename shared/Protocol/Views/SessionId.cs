using System.Buffers.Binary;

namespace MirrorController.Protocol.Views;

/// <summary>One opening of a volume by one coordinator or authority: a number that only grows, and a random id.</summary>
/// <remarks>
/// Sessions are ordered by their number alone. The id tells two openings apart that drew the same number at once: a board
/// stores one of them and refuses the other (rule O1). Number 0 is the time before the first opening.
/// Encoded in <see cref="Size"/> bytes, little-endian: number (4), id (8).
/// </remarks>
/// <param name="Number">The number, at most <see cref="MaxNumber"/>: it is the upper part of every tag of the session.</param>
/// <param name="Id">64 random bits, drawn at the opening.</param>
public readonly record struct SessionId(uint Number, ulong Id) : IComparable<SessionId>
{
    /// <summary>The last number: 24 bits. At it an opening is refused.</summary>
    public const uint MaxNumber = 0xFF_FFFF;

    /// <summary>The encoded size in bytes.</summary>
    public const int Size = 12;

    /// <summary>The time before the first opening.</summary>
    public static readonly SessionId None;

    /// <summary>Gets whether this is no session at all.</summary>
    public bool IsNone => Number == 0;

    /// <summary>Compares by number alone.</summary>
    public int CompareTo(SessionId other) => Number.CompareTo(other.Number);

    public static bool operator <(SessionId left, SessionId right) => left.Number < right.Number;

    public static bool operator >(SessionId left, SessionId right) => left.Number > right.Number;

    public static bool operator <=(SessionId left, SessionId right) => left.Number <= right.Number;

    public static bool operator >=(SessionId left, SessionId right) => left.Number >= right.Number;

    /// <summary>Writes <see cref="Size"/> bytes.</summary>
    public void WriteTo(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, Number);
        BinaryPrimitives.WriteUInt64LittleEndian(target[4..], Id);
    }

    /// <summary>Reads <see cref="Size"/> bytes; false if the number is beyond <see cref="MaxNumber"/>.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out SessionId session)
    {
        session = new SessionId(BinaryPrimitives.ReadUInt32LittleEndian(source), BinaryPrimitives.ReadUInt64LittleEndian(source[4..]));
        return session.Number <= MaxNumber;
    }

    /// <summary>Gets the session as messages name it: number and id.</summary>
    public override string ToString() => $"{Number}:{Id:x16}";
}
