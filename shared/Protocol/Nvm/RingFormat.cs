using System.Buffers.Binary;
using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Nvm;

/// <summary>The frame of the ring log: batches, each stored as a whole or not at all.</summary>
/// <remarks>
/// <code>
///   1 or 2  length of the records, LEB128: 1 to BodyBytesMax
///   4       CRC32C, little-endian, of chip identity (16), log position (8), start counter (8), then the length's bytes and the records
///   n       records
///           on a chip with pages: zeroes up to the end of the page
/// </code>
/// A batch lies within one segment. Position and start counter are not stored: they make every leftover invalid, however old.
/// Records: the first byte is the <see cref="RingRecordKind"/>, then the slot (1), then numbers; tags take 8 bytes little-endian, other
/// numbers are LEB128. Start: counter (8). Checkpoint: distance (LEB128) from the end of the log in the segment before to this segment.
/// Entries are deltas (<see cref="RingContext"/>):
/// <code>
///   first byte  01tt cgv0    tt = 0: the tag is the volume's last plus one; 1: zigzag LEB128 difference follows; 2: 8 bytes follow
///                            c: a count follows, else 1; g: a generator follows, else the volume's last; v: a slot follows, else the last
///   [slot 1] [tag 0 to 8] [block LEB128] [count LEB128] [generator 2]
/// </code>
/// </remarks>
internal static class RingFormat
{
    /// <summary>The most bytes in front of the records.</summary>
    public const int HeaderBytesMax = 6;

    /// <summary>The most bytes of records in a batch.</summary>
    public const int BodyBytesMax = 1024 - HeaderBytesMax;

    /// <summary>The longest single record.</summary>
    public const int RecordBytesMax = 40;

    /// <summary>The longest entry count: three bytes.</summary>
    public const int EntryCountMax = (1 << 21) - 1;

    public const byte EntryBit = 0x40;
    public const int TagModeShift = 4;
    public const int TagNext = 0;
    public const int TagDelta = 1;
    public const int TagWhole = 2;
    public const byte CountBit = 0x08;
    public const byte GeneratorBit = 0x04;
    public const byte SlotBit = 0x02;

    /// <summary>Gets the CRC's state behind the chip's identity.</summary>
    public static uint ChipState(Guid chipId)
    {
        Span<byte> bytes = stackalloc byte[16];
        _ = chipId.TryWriteBytes(bytes, bigEndian: true, out _);
        return Crc32C.Append(Crc32C.Start, bytes);
    }

    /// <summary>Computes a batch's CRC.</summary>
    public static uint Crc(uint chipState, long position, ulong counter, ReadOnlySpan<byte> length, ReadOnlySpan<byte> body)
    {
        Span<byte> seed = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(seed, position);
        BinaryPrimitives.WriteUInt64LittleEndian(seed[8..], counter);
        var state = Crc32C.Append(chipState, seed);
        state = Crc32C.Append(state, length);
        return Crc32C.Finish(Crc32C.Append(state, body));
    }

    /// <summary>Gets the bytes of a number in LEB128.</summary>
    public static int VarintBytes(ulong value)
    {
        var bytes = 1;
        while (value >= 0x80)
        {
            value >>= 7;
            bytes++;
        }

        return bytes;
    }
}
