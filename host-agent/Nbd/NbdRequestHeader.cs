using System.Buffers.Binary;

namespace MirrorController.HostAgent.Nbd;

/// <summary>The header of a request; the data of a write follows it.</summary>
/// <remarks>
/// <code>
/// offset size field
///      0    4 magic 0x25609513: a stream out of step is noticed here
///      4    2 flags
///      6    2 command
///      8    8 cookie, opaque, comes back in the reply
///     16    8 offset in bytes
///     24    4 length in bytes
/// </code>
/// </remarks>
internal readonly record struct NbdRequestHeader(NbdCommandFlags Flags, NbdCommand Command, ulong Cookie, ulong OffsetBytes, uint LengthBytes)
{
    /// <summary>The size in bytes.</summary>
    public const int Size = 28;

    private const int FlagsAt = 4;
    private const int CommandAt = 6;
    private const int CookieAt = 8;
    private const int OffsetAt = 16;
    private const int LengthAt = 24;

    /// <summary>Reads a header; false when the magic is wrong.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out NbdRequestHeader header)
    {
        header = new NbdRequestHeader(
            (NbdCommandFlags)BinaryPrimitives.ReadUInt16BigEndian(bytes[FlagsAt..]),
            (NbdCommand)BinaryPrimitives.ReadUInt16BigEndian(bytes[CommandAt..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[CookieAt..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[OffsetAt..]),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[LengthAt..]));
        return BinaryPrimitives.ReadUInt32BigEndian(bytes) == NbdConstants.RequestMagic;
    }

    /// <summary>Writes the header.</summary>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes, NbdConstants.RequestMagic);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[FlagsAt..], (ushort)Flags);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[CommandAt..], (ushort)Command);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[CookieAt..], Cookie);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[OffsetAt..], OffsetBytes);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[LengthAt..], LengthBytes);
    }

    /// <summary>Judges the request for a volume of this size before anything is done.</summary>
    /// <returns>The error to reply, as the specification asks: a write beyond the end has no space, all else is invalid.</returns>
    public NbdError Judge(long sizeBytes)
    {
        // FUA is allowed on every command, also where it changes nothing.
        if ((Flags & ~NbdCommandFlags.Fua) != 0)
        {
            return NbdError.Invalid;
        }

        var isInside = OffsetBytes <= (ulong)sizeBytes && LengthBytes <= (ulong)sizeBytes - OffsetBytes;
        return Command switch
        {
            NbdCommand.Read => isInside && LengthBytes <= NbdConstants.PayloadBytesMax ? NbdError.None : NbdError.Invalid,
            NbdCommand.Write => isInside ? NbdError.None : NbdError.NoSpace,
            NbdCommand.Flush => OffsetBytes == 0 && LengthBytes == 0 ? NbdError.None : NbdError.Invalid,
            _ => NbdError.Invalid,
        };
    }
}
