using System.Security.Cryptography;
using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Tags;

namespace MirrorController.Tests.Unit.Nvm;

/// <summary>The layout on the chip, pinned byte by byte: a change here is a change of the format.</summary>
public sealed class OnMediaBytesTests
{
    private static readonly Guid ChipId = new([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], bigEndian: true);

    [Fact]
    public void The_board_superblock()
    {
        var bytes = new byte[BoardSuperblock.Size];
        new BoardSuperblock
        {
            Sequence = 5,
            ChipId = ChipId,
            ChipBytes = 32768,
            PageBytes = 1,
            VolumesMax = 1,
            RingOffset = 1792,
            RingBytes = 30720,
            StartCounter = 9,
            HeadPosition = 34560,
            HeadCounter = 8,
            Directory = [ChipId],
        }.WriteTo(bytes, 1);
        Assert.Equal("4D697272" + "43746C42" + "0100" + "01" + "01", Convert.ToHexString(bytes, 0, 12));
        Assert.Equal(
            "0500000000000000" + "000102030405060708090A0B0C0D0E0F" + "00800000" + "01000000" + "00070000" + "00780000" + "0900000000000000"
            + "0087000000000000" + "000F0000" + "00000000" + "0800000000000000" + "000102030405060708090A0B0C0D0E0F",
            Convert.ToHexString(bytes, 16, 88));
        Assert.False(bytes.AsSpan(104).ContainsAnyExcept((byte)0));
        Assert.Equal(SuperblockState.Valid, BoardSuperblock.Read(bytes, 1, out _, out _, out _));
    }

    [Fact]
    public void A_batch_of_entries()
    {
        var context = new RingContext();
        var encoder = new BatchEncoder(context, 1);
        encoder.Begin(1000);
        encoder.AddStart(3);
        encoder.AddEntry(0, Tag.Of(1, 1), 0, new BlockRange(300, 1));
        encoder.AddEntry(0, Tag.Of(1, 2), 7, new BlockRange(5, 200));
        encoder.AddEntry(1, Tag.Of(1, 2), 0, new BlockRange(6, 1));
        var bytes = encoder.Seal(RingFormat.ChipState(ChipId), 64, 3).ToArray();
        Assert.Equal(
            "010300000000000000" + "50828080808040AC02" + "4C05C8010700" + "520184808080804006",
            Convert.ToHexString(bytes, 5, bytes.Length - 5));
        Assert.Equal(bytes.Length - 5, bytes[0]);
        Assert.True(BatchReader.TryFind(bytes, RingFormat.ChipState(ChipId), 64, 2, out _));
        Assert.False(BatchReader.TryFind(bytes, RingFormat.ChipState(ChipId), 64, 3, out _));
        Assert.False(BatchReader.TryFind(bytes, RingFormat.ChipState(ChipId), 65, 2, out _));
        Assert.False(BatchReader.TryFind(bytes, RingFormat.ChipState(Guid.Empty), 64, 2, out _));
    }

    [Fact]
    public void A_whole_chip_after_creation_and_two_writes()
    {
        var rig = StoreRig.Fresh();
        rig.Append(1, 1);
        rig.Append(2, 2);
        rig.CommitGood();
        var hash = Convert.ToHexString(SHA256.HashData(rig.Chip.Image));
        Assert.StartsWith(PinnedChip, hash, StringComparison.Ordinal);
    }

    private const string PinnedChip = "8257743EA58CB7DE1B859FDA5A5AEDAAB1122F7A6D117929E9";
}
