using System.Buffers.Binary;

namespace MirrorController.Protocol.Wire;

/// <summary>The fixed head of every frame between coordinator and board, and between boards; all numbers little-endian.</summary>
/// <remarks>
/// <code>
/// offset size field          protects against
///      0    4 magic "MCw1"   a stranger's bytes taken for a frame
///      4    2 command
///      6    2 flags          a future meaning taken for this one: unknown bits are refused
///      8    4 payload length at most <see cref="PayloadMax"/>: memory without bound
///     12    4 payload CRC32C (0 without payload), apart from the header's: computed once for all boards
///     16    8 request id     an answer taken for another request's
///     24    4 volume key     a frame of another volume: the first four bytes of the volume's id
///     28    4 session number an older coordinator's frame (W3)
///     32    8 boot id        a frame meant for an earlier boot of the board (B2, B4); 0 where none is known yet
///     40    8 tag            of a write; else an argument of the command (D, session's random id)
///     48    8 address        first block: object &lt;&lt; 40 | block
///     56    4 count          blocks
///     60    2 generator      [0031] of the patent; in copies the source's member number
///     62    2 status         of an answer, else 0
///     64    8 watermark      the retirement watermark (D4); in answers R as stored
///     72    8 token          the newest token below the watermark, or of the entry answered; else an argument (attempt, D)
///     80    4 reserved       zero, checked
///     84    4 header CRC32C  over bytes 0..83
/// </code>
/// </remarks>
public struct FrameHeader
{
    /// <summary>The size in bytes.</summary>
    public const int Size = 88;

    /// <summary>The largest payload in bytes.</summary>
    public const int PayloadMax = 512 * 1024;

    /// <summary>"MCw1".</summary>
    public const uint Magic = 0x3177434D;

    public Command Command;
    public FrameFlags Flags;
    public int PayloadLength;
    public uint PayloadCrc;
    public ulong RequestId;
    public uint VolumeKey;
    public uint Session;
    public ulong BootId;
    public ulong Tag;
    public long Address;
    public int Count;
    public ushort Generator;
    public WireStatus Status;
    public ulong Watermark;
    public ulong Token;

    /// <summary>Gets whether this frame answers another.</summary>
    public readonly bool IsReply => (Command & Command.Reply) != 0;

    /// <summary>Writes the header with its CRC.</summary>
    public readonly void WriteTo(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[4..], (ushort)Command);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[6..], (ushort)Flags);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], PayloadLength);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[12..], PayloadCrc);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], RequestId);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[24..], VolumeKey);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[28..], Session);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[32..], BootId);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[40..], Tag);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[48..], Address);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[56..], Count);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[60..], Generator);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[62..], (ushort)Status);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[64..], Watermark);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[72..], Token);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[80..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[84..], Crc32C.Compute(bytes[..84]));
    }

    /// <summary>Reads a header.</summary>
    /// <returns>Null, or one sentence that says what is wrong.</returns>
    public static string? Read(ReadOnlySpan<byte> bytes, out FrameHeader header)
    {
        header = default;
        var magic = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (magic != Magic)
        {
            return $"a frame began with 0x{magic:x8} instead of the magic 0x{Magic:x8}";
        }

        var crc = BinaryPrimitives.ReadUInt32LittleEndian(bytes[84..]);
        var expected = Crc32C.Compute(bytes[..84]);
        if (crc != expected)
        {
            return $"a frame's header has the CRC 0x{crc:x8} instead of 0x{expected:x8}";
        }

        header.Command = (Command)BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]);
        header.Flags = (FrameFlags)BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]);
        header.PayloadLength = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        header.PayloadCrc = BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]);
        header.RequestId = BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]);
        header.VolumeKey = BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]);
        header.Session = BinaryPrimitives.ReadUInt32LittleEndian(bytes[28..]);
        header.BootId = BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]);
        header.Tag = BinaryPrimitives.ReadUInt64LittleEndian(bytes[40..]);
        header.Address = BinaryPrimitives.ReadInt64LittleEndian(bytes[48..]);
        header.Count = BinaryPrimitives.ReadInt32LittleEndian(bytes[56..]);
        header.Generator = BinaryPrimitives.ReadUInt16LittleEndian(bytes[60..]);
        header.Status = (WireStatus)BinaryPrimitives.ReadUInt16LittleEndian(bytes[62..]);
        header.Watermark = BinaryPrimitives.ReadUInt64LittleEndian(bytes[64..]);
        header.Token = BinaryPrimitives.ReadUInt64LittleEndian(bytes[72..]);
        if (header.PayloadLength is < 0 or > PayloadMax)
        {
            return $"the frame {header.Command} has a payload of {header.PayloadLength} bytes; the limit is {PayloadMax}";
        }

        if ((header.Flags & ~FrameFlags.All) != 0 || BinaryPrimitives.ReadUInt32LittleEndian(bytes[80..]) != 0)
        {
            return $"the frame {header.Command} uses reserved bits (flags 0x{(ushort)header.Flags:x4}) that this version does not know";
        }

        return null;
    }
}
