using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace MirrorController.Protocol.Views;

/// <content>The view's record, the same in nonvolatile memory and on the wire.</content>
/// <remarks>
/// Little-endian, <see cref="Size"/> bytes. Who stores or sends it protects it with a CRC.
/// <code>
///   0  1  version       1; a newer one is refused, not guessed at
///   1  1  flags         bit 0: forced; the others zero
///   2  2  members       bit n: member n
///   4  2  in sync
///   6  2  voters
///   8 12  session       number (4), id (8)
///  20  4  counter
///  24  8  id
///  32  8  size          bytes
///  40  1  ancestors     how many of the places below are used
///  41  3  reserved      zero
///  44  2  forced        bit n: ancestor n was forced
///  46  2  reserved      zero
///  48 128 ancestors     16 ids, the parent first; unused places zero
/// </code>
/// </remarks>
public sealed partial class View
{
    /// <summary>The encoded size in bytes.</summary>
    public const int Size = AncestorsOffset + (AncestorsMax * 8);

    private const byte Version = 1;
    private const byte ForcedFlag = 1;
    private const int SessionOffset = 8;
    private const int CounterOffset = 20;
    private const int IdOffset = 24;
    private const int SizeOffset = 32;
    private const int AncestorCountOffset = 40;
    private const int ForcedAncestorsOffset = 44;
    private const int AncestorsOffset = 48;

    /// <summary>Writes <see cref="Size"/> bytes.</summary>
    public void WriteTo(Span<byte> target)
    {
        target = target[..Size];
        target.Clear();
        target[0] = Version;
        target[1] = Forced ? ForcedFlag : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(target[2..], Members.Bits);
        BinaryPrimitives.WriteUInt16LittleEndian(target[4..], InSync.Bits);
        BinaryPrimitives.WriteUInt16LittleEndian(target[6..], Voters.Bits);
        Session.WriteTo(target[SessionOffset..]);
        BinaryPrimitives.WriteUInt32LittleEndian(target[CounterOffset..], Counter);
        BinaryPrimitives.WriteUInt64LittleEndian(target[IdOffset..], Id);
        BinaryPrimitives.WriteInt64LittleEndian(target[SizeOffset..], SizeBytes);
        target[AncestorCountOffset] = (byte)_ancestors.Length;
        BinaryPrimitives.WriteUInt16LittleEndian(target[ForcedAncestorsOffset..], ForcedAncestors);
        for (var i = 0; i < _ancestors.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(target[(AncestorsOffset + (8 * i))..], _ancestors[i]);
        }
    }

    /// <summary>Reads a view and judges it.</summary>
    /// <param name="source">At least <see cref="Size"/> bytes.</param>
    /// <param name="view">The view, if it is one.</param>
    /// <param name="fault">Else one sentence that says what is wrong.</param>
    public static bool TryRead(ReadOnlySpan<byte> source, [NotNullWhen(true)] out View? view, [NotNullWhen(false)] out string? fault)
    {
        view = null;
        if (source.Length < Size)
        {
            fault = $"A view has {Size} bytes, not {source.Length}.";
            return false;
        }

        source = source[..Size];
        if (source[0] != Version)
        {
            fault = $"The view's format is {source[0]}; this version knows {Version}.";
            return false;
        }

        var count = source[AncestorCountOffset];
        if (count > AncestorsMax)
        {
            fault = $"The view names {count} ancestors; there are at most {AncestorsMax}.";
            return false;
        }

        if ((source[1] & ~ForcedFlag) != 0
            || source[(AncestorCountOffset + 1)..ForcedAncestorsOffset].ContainsAnyExcept((byte)0)
            || source[(ForcedAncestorsOffset + 2)..AncestorsOffset].ContainsAnyExcept((byte)0)
            || source[(AncestorsOffset + (8 * count))..].ContainsAnyExcept((byte)0))
        {
            fault = "The view has bits set where it must be zero.";
            return false;
        }

        var ancestors = new ulong[count];
        for (var i = 0; i < count; i++)
        {
            ancestors[i] = BinaryPrimitives.ReadUInt64LittleEndian(source[(AncestorsOffset + (8 * i))..]);
        }

        // A number beyond the bound is judged with the other fields.
        _ = SessionId.TryRead(source[SessionOffset..], out var session);
        var fields = new Fields(
            session,
            BinaryPrimitives.ReadUInt32LittleEndian(source[CounterOffset..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[IdOffset..]),
            new MemberSet(BinaryPrimitives.ReadUInt16LittleEndian(source[2..])),
            new MemberSet(BinaryPrimitives.ReadUInt16LittleEndian(source[4..])),
            new MemberSet(BinaryPrimitives.ReadUInt16LittleEndian(source[6..])),
            BinaryPrimitives.ReadInt64LittleEndian(source[SizeOffset..]),
            (source[1] & ForcedFlag) != 0,
            BinaryPrimitives.ReadUInt16LittleEndian(source[ForcedAncestorsOffset..]));
        fault = Judge(fields, ancestors);
        if (fault is not null)
        {
            return false;
        }

        view = new View(fields, ancestors);
        return true;
    }
}
