using System.Buffers.Binary;
using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Tags;

namespace MirrorController.Protocol.Nvm;

/// <summary>Finds a batch in the bytes of a segment and walks over its records.</summary>
internal ref struct BatchReader
{
    private readonly ReadOnlySpan<byte> _body;
    private readonly RingContext _context;
    private int _at;

    private BatchReader(ReadOnlySpan<byte> body, RingContext context)
    {
        _body = body;
        _context = context;
    }

    /// <summary>Gets whether a record could not be decoded although the CRC holds.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>Judges the bytes at a log position.</summary>
    /// <param name="bytes">The bytes from the position to the end of its segment.</param>
    /// <param name="chipState">See <see cref="RingFormat.ChipState"/>.</param>
    /// <param name="position">The log position.</param>
    /// <param name="counter">The start counter in force in front of it.</param>
    /// <param name="found">The batch, if it is valid there: its CRC holds under that counter, or it is the first of a higher one.</param>
    public static bool TryFind(ReadOnlySpan<byte> bytes, uint chipState, long position, ulong counter, out FoundBatch found)
    {
        found = default;
        if (bytes.Length < 6 || bytes[0] == 0)
        {
            return false;
        }

        int length = bytes[0];
        var lengthBytes = 1;
        if (length >= 0x80)
        {
            length = (length & 0x7F) | (bytes[1] << 7);
            lengthBytes = 2;
            if (length is < 0x80 or > RingFormat.BodyBytesMax)
            {
                return false;
            }
        }

        var header = lengthBytes + 4;
        if (header + length > bytes.Length)
        {
            return false;
        }

        var body = bytes.Slice(header, length);
        var isStart = body[0] == (byte)RingRecordKind.Start && length >= 9;
        if (isStart)
        {
            var own = BinaryPrimitives.ReadUInt64LittleEndian(body[1..]);
            if (own <= counter)
            {
                return false;
            }

            counter = own;
        }

        var stored = BinaryPrimitives.ReadUInt32LittleEndian(bytes[lengthBytes..]);
        if (RingFormat.Crc(chipState, position, counter, bytes[..lengthBytes], body) != stored)
        {
            return false;
        }

        found = new FoundBatch(header, length, counter, isStart);
        return true;
    }

    /// <summary>Walks over a found batch.</summary>
    public static BatchReader Over(ReadOnlySpan<byte> bytes, FoundBatch found, RingContext context) =>
        new(bytes.Slice(found.HeaderBytes, found.BodyBytes), context);

    /// <summary>Decodes the next record.</summary>
    /// <returns>False at the end, or where the bytes are no record (<see cref="IsMalformed"/>).</returns>
    public bool TryNext(out RingRecord record)
    {
        record = default;
        if (IsMalformed || _at == _body.Length)
        {
            return false;
        }

        var first = _body[_at++];
        var good = (first & 0xC0) == RingFormat.EntryBit ? TryEntry(first, ref record) : TryOther(first, ref record);
        IsMalformed = !good;
        return good;
    }

    private bool TryEntry(byte first, ref RingRecord record)
    {
        record.Kind = RingRecordKind.Entry;
        record.Slot = _context.LastSlot;
        if ((first & 1) != 0 || ((first & RingFormat.SlotBit) != 0 && !TrySlot(out record.Slot)))
        {
            return false;
        }

        _context.LastSlot = record.Slot;
        var last = _context.LastTag[record.Slot].Value;
        ulong number;
        switch ((first >> RingFormat.TagModeShift) & 3)
        {
            case RingFormat.TagNext:
                record.Tag = new Tag(unchecked(last + 1));
                break;
            case RingFormat.TagDelta:
                if (!TryVarint(out number))
                {
                    return false;
                }

                record.Tag = new Tag(unchecked(last + ((number >> 1) ^ (0 - (number & 1)))));
                break;
            case RingFormat.TagWhole:
                if (!TryWhole(out number))
                {
                    return false;
                }

                record.Tag = new Tag(number);
                break;
            default:
                return false;
        }

        ulong count = 1;
        if (!TryVarint(out var start) || ((first & RingFormat.CountBit) != 0 && !TryVarint(out count))
            || count is 0 or > RingFormat.EntryCountMax || start > long.MaxValue - count)
        {
            return false;
        }

        record.Range = new BlockRange((long)start, (int)count);
        record.Generator = _context.LastGenerator[record.Slot];
        if ((first & RingFormat.GeneratorBit) != 0)
        {
            if (_at + 2 > _body.Length)
            {
                return false;
            }

            record.Generator = BinaryPrimitives.ReadUInt16LittleEndian(_body[_at..]);
            _at += 2;
        }

        _context.LastTag[record.Slot] = record.Tag;
        _context.LastGenerator[record.Slot] = record.Generator;
        return true;
    }

    private bool TryOther(byte first, ref RingRecord record)
    {
        record.Kind = (RingRecordKind)first;
        switch (record.Kind)
        {
            case RingRecordKind.Start:
                _context.Reset();
                return TryWhole(out record.Number);
            case RingRecordKind.Checkpoint:
                _context.Reset();
                return TryVarint(out record.Number);
            case RingRecordKind.Watermarks:
                return TrySlot(out record.Slot) && TryTag(out record.Tag) && TryTag(out record.Tag2);
            case RingRecordKind.Durable:
            case RingRecordKind.Retired:
            case RingRecordKind.Dropped:
            case RingRecordKind.EntryGone:
                return TrySlot(out record.Slot) && TryTag(out record.Tag);
            case RingRecordKind.MarksCleared:
                return TrySlot(out record.Slot) && TryVarint(out record.Number);
            case RingRecordKind.VolumeReset:
                return TrySlot(out record.Slot);
            case RingRecordKind.Mark:
            case RingRecordKind.CoarseMark:
                return TryMark(ref record);
            default:
                return false;
        }
    }

    private bool TryMark(ref RingRecord record)
    {
        if (!TrySlot(out record.Slot) || !TryVarint(out var start) || !TryVarint(out var count) || !TryVarint(out var session) || !TryVarint(out var attempt)
            || count is 0 or > int.MaxValue || start > long.MaxValue - count || session > uint.MaxValue || attempt > uint.MaxValue)
        {
            return false;
        }

        var range = new BlockRange((long)start, (int)count);
        record.Mark = new RepairMark(range, (uint)session, (uint)attempt, record.Kind == RingRecordKind.CoarseMark);
        return true;
    }

    private bool TrySlot(out int slot)
    {
        slot = 0;
        if (_at == _body.Length || _body[_at] >= NvmLayout.VolumesMax)
        {
            return false;
        }

        slot = _body[_at++];
        return true;
    }

    private bool TryTag(out Tag tag)
    {
        var good = TryWhole(out var value);
        tag = new Tag(value);
        return good;
    }

    private bool TryWhole(out ulong value)
    {
        value = 0;
        if (_at + 8 > _body.Length)
        {
            return false;
        }

        value = BinaryPrimitives.ReadUInt64LittleEndian(_body[_at..]);
        _at += 8;
        return true;
    }

    private bool TryVarint(out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 64 && _at < _body.Length; shift += 7)
        {
            var b = _body[_at++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>A batch that is valid where it was found.</summary>
/// <param name="HeaderBytes">The bytes of length and CRC.</param>
/// <param name="BodyBytes">The bytes of records.</param>
/// <param name="Counter">The start counter in force from it on.</param>
/// <param name="IsStart">Whether it is the first batch of a start.</param>
internal readonly record struct FoundBatch(int HeaderBytes, int BodyBytes, ulong Counter, bool IsStart)
{
    /// <summary>Gets the length without padding.</summary>
    public int Bytes => HeaderBytes + BodyBytes;
}
