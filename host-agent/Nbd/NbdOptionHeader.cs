using System.Buffers.Binary;

namespace MirrorController.HostAgent.Nbd;

/// <summary>The header of an option; its data follows.</summary>
/// <remarks>
/// <code>
/// offset size field
///      0    8 magic IHAVEOPT
///      8    4 option
///     12    4 length of the data in bytes
/// </code>
/// </remarks>
internal readonly record struct NbdOptionHeader(NbdOption Option, uint LengthBytes)
{
    /// <summary>The size in bytes.</summary>
    public const int Size = 16;

    private const int OptionAt = 8;
    private const int LengthAt = 12;

    /// <summary>Reads a header; false when the magic is wrong.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out NbdOptionHeader header)
    {
        header = new NbdOptionHeader(
            (NbdOption)BinaryPrimitives.ReadUInt32BigEndian(bytes[OptionAt..]),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[LengthAt..]));
        return BinaryPrimitives.ReadUInt64BigEndian(bytes) == NbdConstants.OptionMagic;
    }
}
