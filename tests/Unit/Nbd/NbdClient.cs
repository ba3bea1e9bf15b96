using System.Buffers.Binary;
using System.Text;
using MirrorController.HostAgent.Nbd;

namespace MirrorController.Tests.Unit.Nbd;

/// <summary>What a client says, and what it understands, written from the specification.</summary>
internal static class NbdClient
{
    public static byte[] Flags(uint flags) => U32(flags);

    public static byte[] Option(uint option, params byte[] data) => [.. "IHAVEOPT"u8, .. U32(option), .. U32((uint)data.Length), .. data];

    public static byte[] Go(string name, params ushort[] infos) => Option(7, Choice(name, infos));

    public static byte[] Info(string name, params ushort[] infos) => Option(6, Choice(name, infos));

    public static byte[] Request(ushort command, ulong cookie, ulong offset, uint length, ushort flags = 0) =>
        [.. U32(0x25609513), .. U16(flags), .. U16(command), .. U64(cookie), .. U64(offset), .. U32(length)];

    public static byte[] Read(ulong cookie, long offset, int length) => Request(0, cookie, (ulong)offset, (uint)length);

    public static byte[] Write(ulong cookie, long offset, byte[] data, ushort flags = 0) =>
        [.. Request(1, cookie, (ulong)offset, (uint)data.Length, flags), .. data];

    public static byte[] Disconnect() => Request(2, 0, 0, 0);

    public static byte[] Flush(ulong cookie, ushort flags = 0) => Request(3, cookie, 0, 0, flags);

    public static byte[] OptionReply(uint option, uint type, params byte[] data) =>
        [.. U64(0x3e889045565a9), .. U32(option), .. U32(type), .. U32((uint)data.Length), .. data];

    /// <summary>Takes option replies apart: option, type, data.</summary>
    public static List<(uint Option, uint Type, byte[] Data)> OptionReplies(ReadOnlySpan<byte> bytes)
    {
        var list = new List<(uint, uint, byte[])>();
        while (!bytes.IsEmpty)
        {
            Assert.Equal(0x3e889045565a9UL, BinaryPrimitives.ReadUInt64BigEndian(bytes));
            var length = BinaryPrimitives.ReadInt32BigEndian(bytes[16..]);
            list.Add((BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]), BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]), bytes.Slice(20, length).ToArray()));
            bytes = bytes[(20 + length)..];
        }

        return list;
    }

    /// <summary>Takes replies apart, knowing how long the data of each read is; each cookie is answered at most once.</summary>
    public static Dictionary<ulong, (NbdError Error, byte[] Data)> Replies(ReadOnlySpan<byte> bytes, IReadOnlyDictionary<ulong, int> readBytes)
    {
        var replies = new Dictionary<ulong, (NbdError, byte[])>();
        while (!bytes.IsEmpty)
        {
            Assert.Equal(0x67446698u, BinaryPrimitives.ReadUInt32BigEndian(bytes));
            var error = (NbdError)BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
            var cookie = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
            var length = error == NbdError.None ? readBytes.GetValueOrDefault(cookie) : 0;
            replies.Add(cookie, (error, bytes.Slice(16, length).ToArray()));
            bytes = bytes[(16 + length)..];
        }

        return replies;
    }

    public static byte[] Pattern(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static byte[] U16(ushort value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, value);
        return bytes;
    }

    public static byte[] U32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    public static byte[] U64(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Choice(string name, ushort[] infos)
    {
        var text = Encoding.UTF8.GetBytes(name);
        return [.. U32((uint)text.Length), .. text, .. U16((ushort)infos.Length), .. infos.SelectMany(U16)];
    }
}
