using System.Buffers.Binary;
using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>Makes the checksums of a chip's image right: superblocks, then the log's batches as far as their lengths lead.</summary>
internal static class ChipSeal
{
    private const int CrcAt = 12;

    /// <summary>Seals an image behind one byte that tells the kind of chip.</summary>
    public static void Seal(Span<byte> input, int eepromPageBytes)
    {
        if (input.Length < 1 + 1024)
        {
            return;
        }

        var page = input[0] == 0 ? 1 : eepromPageBytes;
        var image = input[1..];
        BoardSuperblock? newest = null;
        for (var copy = 0; copy < 2; copy++)
        {
            var place = image.Slice(copy * BoardSuperblock.Size, BoardSuperblock.Size);
            Put(place, Crc32C.Start);
            _ = BoardSuperblock.Read(place, copy, out var board, out _, out _);
            newest = board is not null && board.Sequence > (newest?.Sequence ?? 0) ? board : newest;
        }

        if (newest is null || !NvmLayout.TryMake(newest.ChipBytes, page, newest.VolumesMax, out var layout, out _)
            || layout.RingOffset + layout.RingBytes > image.Length)
        {
            return;
        }

        for (var slot = 0; slot < newest.VolumesMax; slot++)
        {
            for (var copy = 0; copy < 2; copy++)
            {
                Put(image.Slice(layout.VolumeAddress(slot, copy), VolumeSuperblock.Size), RingFormat.ChipState(newest.ChipId));
            }
        }

        SealLog(image, newest, layout);
    }

    private static void Put(Span<byte> place, uint state)
    {
        place.Slice(CrcAt, 4).Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(place[CrcAt..], Crc32C.Finish(Crc32C.Append(state, place)));
    }

    private static void SealLog(Span<byte> image, BoardSuperblock board, NvmLayout layout)
    {
        var position = board.HeadPosition;
        var counter = board.HeadCounter;
        var chip = RingFormat.ChipState(board.ChipId);
        for (var segment = 0; segment < NvmLayout.Segments && position < long.MaxValue - layout.RingBytes; segment++)
        {
            var left = layout.SegmentBytes - (int)(position % layout.SegmentBytes);
            while (left > 6)
            {
                var bytes = image.Slice(layout.RingAddress(position), left);
                var lengthBytes = bytes[0] < 0x80 ? 1 : 2;
                var length = lengthBytes == 1 ? bytes[0] : (bytes[0] & 0x7F) | (bytes[1] << 7);
                if (length == 0 || lengthBytes + 4 + length > left)
                {
                    break;
                }

                var body = bytes.Slice(lengthBytes + 4, length);
                if (body[0] == (byte)RingRecordKind.Start && length >= 9)
                {
                    counter = Math.Max(counter, BinaryPrimitives.ReadUInt64LittleEndian(body[1..]));
                }

                BinaryPrimitives.WriteUInt32LittleEndian(bytes[lengthBytes..], RingFormat.Crc(chip, position, counter, bytes[..lengthBytes], body));
                var whole = Math.Min(layout.WholePages(lengthBytes + 4 + length), left);
                position += whole;
                left -= whole;
            }

            position += left;
        }
    }
}
