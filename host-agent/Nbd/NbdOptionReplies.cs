using System.Buffers.Binary;
using System.Text;
using MirrorController.Protocol.Seams;

namespace MirrorController.HostAgent.Nbd;

/// <summary>Writes what a server says before the transmission phase.</summary>
/// <remarks>
/// The header of a reply to an option:
/// <code>
/// offset size field
///      0    8 magic 0x3e889045565a9
///      8    4 the option replied to
///     12    4 type
///     16    4 length of the data in bytes
/// </code>
/// </remarks>
internal static class NbdOptionReplies
{
    /// <summary>The size of a reply's header in bytes.</summary>
    public const int HeaderSize = 20;

    private const int OptionAt = 8;
    private const int TypeAt = 12;
    private const int LengthAt = 16;

    /// <summary>Sends the greeting: two magics and the handshake flags.</summary>
    public static void SendGreeting(IConnection connection)
    {
        var bytes = connection.Reserve(NbdConstants.GreetingBytes);
        BinaryPrimitives.WriteUInt64BigEndian(bytes, NbdConstants.GreetingMagic);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], NbdConstants.OptionMagic);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[16..], (ushort)(NbdHandshakeFlags.FixedNewstyle | NbdHandshakeFlags.NoZeroes));
    }

    /// <summary>Sends a final answer without data.</summary>
    public static void SendAck(IConnection connection, NbdOption option) => Begin(connection, option, NbdOptionReply.Ack, 0);

    /// <summary>Sends a refusal with a sentence for people.</summary>
    public static void SendError(IConnection connection, NbdOption option, NbdOptionReply error, string sentence)
    {
        var bytes = Begin(connection, option, error, Encoding.UTF8.GetByteCount(sentence));
        Encoding.UTF8.GetBytes(sentence, bytes);
    }

    /// <summary>Sends an entry of the list of exports: length of the name, name.</summary>
    public static void SendServer(IConnection connection, IVolume volume)
    {
        var bytes = Begin(connection, NbdOption.List, NbdOptionReply.Server, 4 + Encoding.UTF8.GetByteCount(volume.Name));
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)(bytes.Length - 4));
        Encoding.UTF8.GetBytes(volume.Name, bytes[4..]);
    }

    /// <summary>Sends an export's facts: size and transmission flags.</summary>
    public static void SendExportInfo(IConnection connection, NbdOption option, IVolume volume)
    {
        var bytes = BeginInfo(connection, option, NbdInfo.Export, 10);
        WriteExport(bytes, volume);
    }

    /// <summary>Sends a text about an export.</summary>
    public static void SendTextInfo(IConnection connection, NbdOption option, NbdInfo info, string text)
    {
        var bytes = BeginInfo(connection, option, info, Encoding.UTF8.GetByteCount(text));
        Encoding.UTF8.GetBytes(text, bytes);
    }

    /// <summary>Sends the sizes of requests: smallest, preferred, longest payload.</summary>
    public static void SendBlockSizeInfo(IConnection connection, NbdOption option, IVolume volume)
    {
        var bytes = BeginInfo(connection, option, NbdInfo.BlockSize, 12);
        BinaryPrimitives.WriteUInt32BigEndian(bytes, NbdConstants.BlockBytesMin);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], (uint)volume.BlockBytes);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], NbdConstants.PayloadBytesMax);
    }

    /// <summary>Sends the answer to EXPORT_NAME, which has no header: size, flags, and zeroes unless the client does without.</summary>
    public static void SendExportName(IConnection connection, IVolume volume, bool noZeroes)
    {
        var bytes = connection.Reserve(noZeroes ? 10 : 10 + NbdConstants.ExportNameZeroesBytes);
        WriteExport(bytes, volume);
        bytes[10..].Clear();
    }

    private static void WriteExport(Span<byte> bytes, IVolume volume)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, (ulong)volume.SizeBytes);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[8..], (ushort)NbdTransmissionFlags.Served);
    }

    private static Span<byte> BeginInfo(IConnection connection, NbdOption option, NbdInfo info, int dataBytes)
    {
        var bytes = Begin(connection, option, NbdOptionReply.Info, 2 + dataBytes);
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)info);
        return bytes[2..];
    }

    private static Span<byte> Begin(IConnection connection, NbdOption option, NbdOptionReply type, int dataBytes)
    {
        var bytes = connection.Reserve(HeaderSize + dataBytes);
        BinaryPrimitives.WriteUInt64BigEndian(bytes, NbdConstants.OptionReplyMagic);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[OptionAt..], (uint)option);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[TypeAt..], (uint)type);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[LengthAt..], (uint)dataBytes);
        return bytes[HeaderSize..];
    }
}
