using System.Buffers.Binary;
using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Tags;

namespace MirrorController.Protocol.Nvm;

/// <summary>Builds one batch of the ring log in a buffer of its own. Allocates nothing after it was made.</summary>
internal sealed class BatchEncoder
{
    private readonly byte[] _buffer;
    private readonly RingContext _context;
    private readonly int _pageBytes;
    private int _at;
    private int _limit;

    public BatchEncoder(RingContext context, int pageBytes)
    {
        _context = context;
        _pageBytes = pageBytes;
        _buffer = new byte[RingFormat.HeaderBytesMax + RingFormat.BodyBytesMax + pageBytes];
    }

    /// <summary>Gets the bytes of records so far.</summary>
    public int BodyBytes => _at - RingFormat.HeaderBytesMax;

    /// <summary>Gets whether one more record of any kind fits.</summary>
    public bool HasRoom => _at + RingFormat.RecordBytesMax <= _limit;

    /// <summary>Gets the bytes in front of the records, after <see cref="Seal"/>: they are read back.</summary>
    public int HeaderBytes { get; private set; }

    /// <summary>Gets the length of the batch with its padding, after <see cref="Seal"/>.</summary>
    public int TotalBytes { get; private set; }

    /// <summary>Begins a batch.</summary>
    /// <param name="roomBytes">The room left in the segment.</param>
    public void Begin(int roomBytes)
    {
        _at = RingFormat.HeaderBytesMax;
        _limit = Math.Min(roomBytes, RingFormat.HeaderBytesMax + RingFormat.BodyBytesMax);
    }

    /// <summary>Adds an entry and returns its bytes.</summary>
    public int AddEntry(int slot, Tag tag, ushort generator, BlockRange range)
    {
        var before = _at;
        var first = RingFormat.EntryBit;
        var flagsAt = _at++;
        if (slot != _context.LastSlot)
        {
            first |= RingFormat.SlotBit;
            _buffer[_at++] = (byte)slot;
            _context.LastSlot = slot;
        }

        var delta = unchecked((long)(tag.Value - _context.LastTag[slot].Value));
        if (delta != 1)
        {
            var zigzag = unchecked((ulong)((delta << 1) ^ (delta >> 63)));
            if (RingFormat.VarintBytes(zigzag) < 8)
            {
                first |= RingFormat.TagDelta << RingFormat.TagModeShift;
                PutVarint(zigzag);
            }
            else
            {
                first |= RingFormat.TagWhole << RingFormat.TagModeShift;
                PutWhole(tag.Value);
            }
        }

        PutVarint((ulong)range.Start);
        if (range.Count != 1)
        {
            first |= RingFormat.CountBit;
            PutVarint((ulong)range.Count);
        }

        if (generator != _context.LastGenerator[slot])
        {
            first |= RingFormat.GeneratorBit;
            BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(_at), generator);
            _at += 2;
        }

        _buffer[flagsAt] = first;
        _context.LastTag[slot] = tag;
        _context.LastGenerator[slot] = generator;
        return _at - before;
    }

    /// <summary>Adds the first record of a start; what follows no longer is a delta against earlier batches.</summary>
    public void AddStart(ulong counter)
    {
        _context.Reset();
        _buffer[_at++] = (byte)RingRecordKind.Start;
        PutWhole(counter);
    }

    /// <summary>Adds the first record of a segment.</summary>
    public void AddCheckpoint(int distanceBytes)
    {
        _context.Reset();
        _buffer[_at++] = (byte)RingRecordKind.Checkpoint;
        PutVarint((ulong)distanceBytes);
    }

    /// <summary>Adds D and R of a volume.</summary>
    public void AddWatermarks(int slot, Tag durable, Tag retired)
    {
        AddTag(RingRecordKind.Watermarks, slot, durable);
        PutWhole(retired.Value);
    }

    /// <summary>Adds a record of slot and tag.</summary>
    public void AddTag(RingRecordKind kind, int slot, Tag tag)
    {
        _buffer[_at++] = (byte)kind;
        _buffer[_at++] = (byte)slot;
        PutWhole(tag.Value);
    }

    /// <summary>Adds a repair mark.</summary>
    public void AddMark(int slot, RepairMark mark)
    {
        _buffer[_at++] = (byte)(mark.Coarse ? RingRecordKind.CoarseMark : RingRecordKind.Mark);
        _buffer[_at++] = (byte)slot;
        PutVarint((ulong)mark.Range.Start);
        PutVarint((ulong)mark.Range.Count);
        PutVarint(mark.Session);
        PutVarint(mark.Attempt);
    }

    /// <summary>Adds the end of the marks of older sessions.</summary>
    public void AddMarksCleared(int slot, uint belowSession)
    {
        _buffer[_at++] = (byte)RingRecordKind.MarksCleared;
        _buffer[_at++] = (byte)slot;
        PutVarint(belowSession);
    }

    /// <summary>Adds the beginning of a volume in a slot.</summary>
    public void AddVolumeReset(int slot)
    {
        _buffer[_at++] = (byte)RingRecordKind.VolumeReset;
        _buffer[_at++] = (byte)slot;
    }

    /// <summary>Ends the batch: length, CRC, padding to whole pages.</summary>
    /// <returns>The bytes to write, unchanged until the next <see cref="Begin"/>.</returns>
    public ReadOnlyMemory<byte> Seal(uint chipState, long position, ulong counter)
    {
        var body = _buffer.AsSpan(RingFormat.HeaderBytesMax, BodyBytes);
        Invariant.Check(body.Length is > 0 and <= RingFormat.BodyBytesMax, "a batch has records, and no more than a batch holds");
        var lengthBytes = body.Length < 0x80 ? 1 : 2;
        HeaderBytes = lengthBytes + 4;
        var start = RingFormat.HeaderBytesMax - HeaderBytes;
        if (lengthBytes == 1)
        {
            _buffer[start] = (byte)body.Length;
        }
        else
        {
            _buffer[start] = (byte)(body.Length | 0x80);
            _buffer[start + 1] = (byte)(body.Length >> 7);
        }

        var crc = RingFormat.Crc(chipState, position, counter, _buffer.AsSpan(start, lengthBytes), body);
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(start + lengthBytes), crc);
        var length = HeaderBytes + body.Length;
        TotalBytes = (length + _pageBytes - 1) / _pageBytes * _pageBytes;
        _buffer.AsSpan(start + length, TotalBytes - length).Clear();
        return _buffer.AsMemory(start, TotalBytes);
    }

    private void PutWhole(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer.AsSpan(_at), value);
        _at += 8;
    }

    private void PutVarint(ulong value)
    {
        while (value >= 0x80)
        {
            _buffer[_at++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _buffer[_at++] = (byte)value;
    }
}
