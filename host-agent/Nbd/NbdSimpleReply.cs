using System.Buffers.Binary;

namespace MirrorController.HostAgent.Nbd;

/// <summary>The header of a simple reply; the data of a successful read follows it.</summary>
/// <remarks>
/// <code>
/// offset size field
///      0    4 magic 0x67446698
///      4    4 error, 0 for none
///      8    8 cookie of the request
/// </code>
/// </remarks>
internal readonly record struct NbdSimpleReply(NbdError Error, ulong Cookie)
{
    /// <summary>The size in bytes.</summary>
    public const int Size = 16;

    private const int ErrorAt = 4;
    private const int CookieAt = 8;

    /// <summary>Writes the header.</summary>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes, NbdConstants.SimpleReplyMagic);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[ErrorAt..], (uint)Error);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[CookieAt..], Cookie);
    }

    /// <summary>Reads a header; false when the magic is wrong.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out NbdSimpleReply reply)
    {
        reply = new NbdSimpleReply(
            (NbdError)BinaryPrimitives.ReadUInt32BigEndian(bytes[ErrorAt..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[CookieAt..]));
        return BinaryPrimitives.ReadUInt32BigEndian(bytes) == NbdConstants.SimpleReplyMagic;
    }
}
