using System.Buffers.Binary;
using MirrorController.Firmware.Array;
using MirrorController.HostAgent.Rig.Torture;
using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>Single records on chips and disks.</summary>
internal static class Media
{
    private static readonly Guid Chip = new(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);

    private static readonly DiskLabel Label = new()
    {
        Volume = new VolumeId(1, 2),
        Name = "tank",
        Member = 1,
        BlockBytes = 4096,
        SizeBytes = 1L << 30,
        SizeMaxBytes = 1L << 34,
        ChipId = Chip,
        DataOffsetBytes = DiskLabel.DataOffsetFor(1L << 34, 4096),
    };

    internal static readonly VolumeRecord Record = new()
    {
        VolumeId = new Guid(1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8),
        Name = "tank",
        State = VolumeState.Live,
        Member = 1,
        SizeBytes = WireSamples.SizeBytes,
        SizeMaxBytes = WireSamples.SizeBytes,
        Session = new SessionId(3, 4),
        View = WireSamples.View,
    };

    private static readonly BoardSuperblock Board = new()
    {
        Sequence = 2,
        ChipId = Chip,
        ChipBytes = 32768,
        PageBytes = 1,
        VolumesMax = 1,
        RingOffset = 1792,
        RingBytes = 30720,
        StartCounter = 5,
        HeadPosition = 30720 * 3,
        HeadCounter = 4,
        Directory = [Record.VolumeId],
    };

    public static IEnumerable<FuzzTarget> All =>
    [
        new Decoder("disk-label", "a disk", b => Whole(b, DiskLabel.Size, DecodeLabel), () => [WireSamples.Bytes(DiskLabel.Size, b => Label.WriteTo(b, 1))], SealLabel),
        new Decoder("board-superblock", "a memory chip", b => Whole(b, BoardSuperblock.Size, DecodeBoard), () => [WireSamples.Bytes(BoardSuperblock.Size, b => Board.WriteTo(b, 1))], b => Put(b, BoardSuperblock.Size, Crc32C.Start)),
        new Decoder("volume-superblock", "a memory chip", b => Whole(b, VolumeSuperblock.Size, DecodeVolume), () => [WireSamples.Bytes(VolumeSuperblock.Size, b => VolumeSuperblock.Write(b, Record, Chip, 0, 1, 7))], b => Put(b, VolumeSuperblock.Size, RingFormat.ChipState(Chip))),
        new Decoder("chip-records", "a memory chip", DecodeRecords, Records),
        new Decoder("sector-pattern", "the tortured volume", b => Whole(b, SectorPattern.SectorBytes, DecodeSector), () => [WireSamples.Bytes(SectorPattern.SectorBytes, b => SectorPattern.Fill(b, 1, 2, 3))]),
    ];

    /// <summary>A record in place has its size: what is shorter is filled up with zeroes.</summary>
    private static bool Whole(ReadOnlySpan<byte> bytes, int size, Decode decode)
    {
        Span<byte> place = stackalloc byte[size];
        place.Clear();
        bytes[..Math.Min(bytes.Length, size)].CopyTo(place);
        return decode(place);
    }

    private static bool DecodeLabel(ReadOnlySpan<byte> place)
    {
        if (DiskLabel.Read(place, 1, out var label) != LabelState.Valid)
        {
            return label is null ? false : throw new InvalidOperationException("a label that is not valid was handed on");
        }

        // What was read is written the same, so nothing in it was passed over.
        var again = new byte[DiskLabel.Size];
        label!.WriteTo(again, 1);
        return label.DataOffsetBytes > 0 && label.SizeBytes % label.BlockBytes == 0
            ? true
            : throw new InvalidOperationException($"the label of a disk of {label.SizeBytes} bytes with data at {label.DataOffsetBytes} was decoded");
    }

    private static bool DecodeBoard(ReadOnlySpan<byte> place) => BoardSuperblock.Read(place, 1, out _, out _, out _) == SuperblockState.Valid;

    private static bool DecodeVolume(ReadOnlySpan<byte> place)
    {
        if (VolumeSuperblock.Read(place, Chip, 0, 1, out var record, out var sequence, out _) != SuperblockState.Valid)
        {
            return false;
        }

        var again = new byte[VolumeSuperblock.Size];
        VolumeSuperblock.Write(again, record!, Chip, 0, 1, sequence);
        return true;
    }

    private static bool DecodeRecords(ReadOnlySpan<byte> bytes)
    {
        var reader = BatchReader.Over(bytes, new FoundBatch(0, bytes.Length, 1, false), new RingContext());
        var count = 0;
        while (reader.TryNext(out var record))
        {
            count++;
            var range = record.Kind is RingRecordKind.Mark or RingRecordKind.CoarseMark ? record.Mark.Range : record.Range;
            if (record.Slot is < 0 or >= NvmLayout.VolumesMax || (record.Kind == RingRecordKind.Entry && range.Count <= 0) || range.Start < 0 || range.End < range.Start)
            {
                throw new InvalidOperationException($"a {record.Kind} of slot {record.Slot} for {range} was decoded");
            }
        }

        return count > 0 && !reader.IsMalformed;
    }

    private static bool DecodeSector(ReadOnlySpan<byte> place) =>
        SectorPattern.TryRead(place, 1, 2, out _, out var trouble) || (trouble!.Length > 0 ? false : throw new InvalidOperationException("refused without a sentence"));

    private static IEnumerable<byte[]> Records() =>
    [
        [2, 5, 3, 0, 1, 0, 0, 0, 0, 9, 0, 0, 2, 0, 0, 0, 0, 9, 0, 0, 0x40, 7, 0x48, 9, 3],
        [0x66, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x80, 1, 9, 0, 0x50, 2, 1, 0x4A, 1, 5, 2],
        [8, 0, 5, 4, 9, 1, 9, 0, 5, 0x80, 4, 9, 1, 10, 0, 3, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 11, 0],
    ];

    private static void SealLabel(Span<byte> input)
    {
        if (input.Length >= DiskLabel.Size)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(input[508..], Crc32C.Compute(input[..508]));
        }
    }

    private static void Put(Span<byte> input, int size, uint state)
    {
        if (input.Length >= size)
        {
            input.Slice(12, 4).Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(input[12..], Crc32C.Finish(Crc32C.Append(state, input[..size])));
        }
    }
}
