using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Tags;

namespace MirrorController.Protocol.Nvm;

/// <content>Finding again what is stored.</content>
public sealed partial class NvmStore
{
    private const int ReadPartBytes = 4096;

    /// <summary>Reads the chip and judges it; nothing is written.</summary>
    public async Task<NvmOpenResult> OpenAsync()
    {
        if (_board is not null)
        {
            throw new InvalidOperationException("The memory chip is open already.");
        }

        var image = new byte[_chip.SizeBytes];
        var read = new ChipRead(_loop, _chip);
        for (var address = 0; address < image.Length; address += ReadPartBytes)
        {
            var status = await read.Run(address, image.AsMemory(address, Math.Min(ReadPartBytes, image.Length - address)));
            if (!status.IsOk)
            {
                return new NvmOpenResult(NvmOpenState.Failed, status.Fault!);
            }
        }

        var result = Judge(image, out var holdsOurs) with { HoldsOurs = holdsOurs };
        if (result.State == NvmOpenState.Ok)
        {
            Attach(_layout!);
        }
        else
        {
            _board = null;
            _layout = null;
            _volumes = [];
        }

        return result;
    }

    private static NvmOpenResult Damaged(string sentence) =>
        new(NvmOpenState.Damaged, sentence + " The board counts as blank.");

    private NvmOpenResult Judge(ReadOnlySpan<byte> image, out bool holdsOurs)
    {
        var blocks = new BoardSuperblock?[2];
        var states = new SuperblockState[2];
        var sequences = new ulong[2];
        var versions = new ushort[2];
        var place = Math.Max(BoardSuperblock.Size, _chip.PageBytes);
        for (var copy = 0; copy < 2; copy++)
        {
            states[copy] = BoardSuperblock.Read(image.Slice(copy * place, BoardSuperblock.Size), copy, out blocks[copy], out sequences[copy], out versions[copy]);
        }

        // One copy is enough, also where the pair as a whole counts as damaged.
        holdsOurs = states.AsSpan().ContainsAny(SuperblockState.Valid, SuperblockState.Newer);
        var (state, counts) = SuperblockPair.Choose(states[0], sequences[0], states[1], sequences[1]);
        switch (state)
        {
            case SuperblockState.Blank:
                return new NvmOpenResult(NvmOpenState.Blank, $"The memory chip ({_chip.Kind}) is blank.");
            case SuperblockState.Foreign:
                return new NvmOpenResult(NvmOpenState.Foreign, $"The memory chip ({_chip.Kind}) holds something that is not MirrorController's; it is left alone.");
            case SuperblockState.Newer:
                return new NvmOpenResult(
                    NvmOpenState.Newer,
                    $"The memory chip ({_chip.Kind}) has format {versions[counts]}; this version knows formats up to {BoardSuperblock.Version}.");
            case SuperblockState.Damaged:
                return Damaged($"Neither copy of the superblock of the memory chip ({_chip.Kind}) is whole.");
        }

        var board = blocks[counts]!;
        _ = NvmLayout.TryMake(_chip.SizeBytes, _chip.PageBytes, board.VolumesMax, out var layout, out _);
        if (layout is null || board.ChipBytes != _chip.SizeBytes || board.PageBytes != _chip.PageBytes
            || board.RingOffset != layout.RingOffset || board.RingBytes != layout.RingBytes || board.HeadPosition % layout.SegmentBytes != 0)
        {
            return new NvmOpenResult(
                NvmOpenState.Foreign,
                $"The memory chip ({_chip.Kind}, {_chip.SizeBytes} bytes) holds the image of another chip, of {board.ChipBytes} bytes with pages of {board.PageBytes}.");
        }

        _board = board;
        _boardCopy = counts;
        _layout = layout;
        _chipState = RingFormat.ChipState(board.ChipId);
        _volumes = new NvmVolume[layout.VolumeCount];
        for (var slot = 0; slot < _volumes.Length; slot++)
        {
            _volumes[slot] = new NvmVolume(slot);
            if (board.Directory[slot] != Guid.Empty && ReadVolume(image, _volumes[slot], board.Directory[slot]) is { } fault)
            {
                return fault;
            }
        }

        return Scan(image) ?? new NvmOpenResult(NvmOpenState.Ok, $"The memory chip ({_chip.Kind}) is whole after {StartCounter} starts.");
    }

    private NvmOpenResult? ReadVolume(ReadOnlySpan<byte> image, NvmVolume volume, Guid volumeId)
    {
        var records = new VolumeRecord?[2];
        var states = new SuperblockState[2];
        var sequences = new ulong[2];
        var versions = new ushort[2];
        for (var copy = 0; copy < 2; copy++)
        {
            states[copy] = VolumeSuperblock.Read(
                image[_layout!.VolumeAddress(volume.Slot, copy)..],
                ChipId,
                volume.Slot,
                copy,
                out records[copy],
                out sequences[copy],
                out versions[copy]);
        }

        var (state, counts) = SuperblockPair.Choose(states[0], sequences[0], states[1], sequences[1]);
        if (state == SuperblockState.Newer)
        {
            return new NvmOpenResult(
                NvmOpenState.Newer,
                $"Volume {volumeId} on the memory chip ({_chip.Kind}) has format {versions[counts]}; this version knows formats up to {VolumeSuperblock.Version}.");
        }

        if (state != SuperblockState.Valid || records[counts]!.VolumeId != volumeId)
        {
            return Damaged($"Neither copy of the superblock of volume {volumeId} on the memory chip ({_chip.Kind}) is whole.");
        }

        volume.Record = records[counts]!;
        volume.Sequence = sequences[counts];
        volume.NewerCopy = counts;
        volume.Exists = true;
        volume.IsPairUneven = states[1 - counts] != SuperblockState.Valid || sequences[1 - counts] + 1 != sequences[counts]
            || !IsSameRecord(volume.Slot, records[0]!, records[1]!);
        volume.Divide(_layout!);
        return null;
    }

    private bool IsSameRecord(int slot, VolumeRecord left, VolumeRecord right)
    {
        var (a, b) = (new byte[VolumeSuperblock.Size], new byte[VolumeSuperblock.Size]);
        VolumeSuperblock.Write(a, left, ChipId, slot, 0, 1);
        VolumeSuperblock.Write(b, right, ChipId, slot, 0, 1);
        return a.AsSpan().SequenceEqual(b);
    }

    /// <summary>Walks over the log from the head to its tail.</summary>
    private NvmOpenResult? Scan(ReadOnlySpan<byte> image)
    {
        var segmentBytes = _layout!.SegmentBytes;
        var end = _board!.HeadPosition + _layout.RingBytes;
        var position = _board.HeadPosition;
        StartCounter = _board.HeadCounter;
        _head = position;
        _context.Reset();
        while (true)
        {
            if (position % segmentBytes != 0 && BatchReader.TryFind(Behind(image, position), _chipState, position, StartCounter, out var found))
            {
                if (!Take(image, position, found))
                {
                    return Malformed(position);
                }

                position += _layout.WholePages(found.Bytes);
                continue;
            }

            // The log goes on in the next segment if the checkpoint there says that it ended here in this one.
            var next = (position + segmentBytes - 1) / segmentBytes * segmentBytes;
            if (next >= end
                || !BatchReader.TryFind(Behind(image, next), _chipState, next, StartCounter, out found)
                || !BeginsSegment(image, next, found, next == _head ? -1 : next - position))
            {
                break;
            }

            _counterBefore[next / segmentBytes % NvmLayout.Segments] = StartCounter;
            if (!Take(image, next, found))
            {
                return Malformed(next);
            }

            position = next + _layout.WholePages(found.Bytes);
        }

        _tail = position;
        for (var slot = 0; slot < _volumes.Length; slot++)
        {
            var volume = _volumes[slot];
            if (!volume.Exists)
            {
                volume.ResetLog();
                continue;
            }

            if (OutOfVolume(volume) is { } range)
            {
                return Damaged($"The log on the memory chip ({_chip.Kind}) names {range} of volume {volume.Record.Name}, which has fewer.");
            }

            for (var i = 0; i < volume.Table.Count; i++)
            {
                volume.Table[i].Sure = volume.Table[i].Tag <= volume.Durable;
            }
        }

        return JudgeBehindTail(image, end);
    }

    /// <summary>A valid batch behind an invalid one: not a torn tail, but a hole.</summary>
    private NvmOpenResult? JudgeBehindTail(ReadOnlySpan<byte> image, long end)
    {
        if (StartCounter < _board!.StartCounter)
        {
            return Damaged($"The log on the memory chip ({_chip.Kind}) ends in start {StartCounter}, but start {_board.StartCounter} had been stored.");
        }

        for (var position = _tail + 1; position < end; position++)
        {
            if (position % _layout!.PageBytes != 0)
            {
                continue;
            }

            // Also under the next counter: the hole may have been the first batch of a start.
            var bytes = Behind(image, position);
            if (IsBatch(bytes, position, StartCounter) || IsBatch(bytes, position, StartCounter + 1))
            {
                return Damaged($"The log on the memory chip ({_chip.Kind}) has a bad batch at position {_tail} and a good one behind it, at {position}.");
            }
        }

        return null;
    }

    /// <summary>Tells whether a batch stands there: with so many places to look at, a CRC holds by chance now and then, so the records have to be some, too.</summary>
    private bool IsBatch(ReadOnlySpan<byte> bytes, long position, ulong counter)
    {
        if (!BatchReader.TryFind(bytes, _chipState, position, counter, out var found))
        {
            return false;
        }

        var reader = BatchReader.Over(bytes, found, new RingContext());
        while (reader.TryNext(out var record))
        {
            if (record.Slot >= _volumes.Length)
            {
                return false;
            }
        }

        return !reader.IsMalformed;
    }

    /// <summary>Finds what lives beyond the volume's largest size; what stood before a VolumeReset may have been another volume's.</summary>
    private static BlockRange? OutOfVolume(NvmVolume volume)
    {
        var blocks = volume.Record.SizeMaxBytes / volume.Record.BlockBytes;
        for (var i = 0; i < volume.Table.Count; i++)
        {
            if (volume.Table[i].Range.End > blocks)
            {
                return volume.Table[i].Range;
            }
        }

        foreach (var mark in volume.Marks)
        {
            if (mark.Range.End > blocks)
            {
                return mark.Range;
            }
        }

        return null;
    }

    private NvmOpenResult Malformed(long position) =>
        Damaged($"The log on the memory chip ({_chip.Kind}) has a record at position {position} that is none, under a CRC that holds.");

    private ReadOnlySpan<byte> Behind(ReadOnlySpan<byte> image, long position) =>
        image.Slice(_layout!.RingAddress(position), _layout.SegmentBytes - (int)(position % _layout.SegmentBytes));

    private bool BeginsSegment(ReadOnlySpan<byte> image, long position, FoundBatch found, long distance)
    {
        var reader = BatchReader.Over(Behind(image, position), found, new RingContext());
        return reader.TryNext(out var record)
            && (record.Kind != RingRecordKind.Start || reader.TryNext(out record))
            && record.Kind == RingRecordKind.Checkpoint
            && (distance < 0 || record.Number == (ulong)distance);
    }

    /// <summary>Takes a batch's records in.</summary>
    private bool Take(ReadOnlySpan<byte> image, long position, FoundBatch found)
    {
        StartCounter = found.Counter;
        var reader = BatchReader.Over(Behind(image, position), found, _context);
        while (reader.TryNext(out var record))
        {
            if (record.Kind is RingRecordKind.Start or RingRecordKind.Checkpoint)
            {
                continue;
            }

            if (record.Slot >= _volumes.Length)
            {
                return false;
            }

            var volume = _volumes[record.Slot];
            if (record.Kind == RingRecordKind.Entry)
            {
                TakeEntry(volume, record, position);
            }
            else if (record.Kind == RingRecordKind.Watermarks)
            {
                Apply(volume, RingRecordKind.Durable, record.Tag, default, 0, position);
                Apply(volume, RingRecordKind.Retired, record.Tag2, default, 0, position);
            }
            else
            {
                Apply(volume, record.Kind, record.Tag, record.Mark, (uint)record.Number, position);
            }
        }

        return !reader.IsMalformed;
    }

    private static void TakeEntry(NvmVolume volume, RingRecord record, long position)
    {
        if (record.Tag <= volume.Retired)
        {
            return;
        }

        // An entry copied forward is found twice while its first record still stands behind the head.
        if (volume.Table.Find(record.Tag) is { } known)
        {
            known.LogPosition = position;
            return;
        }

        var entry = volume.Table.NewEntry();
        entry.Tag = record.Tag;
        entry.Generator = record.Generator;
        entry.Range = record.Range;
        entry.Stored = true;
        entry.LogPosition = position;
        volume.Table.Add(entry);
    }
}
