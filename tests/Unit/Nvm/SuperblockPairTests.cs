using MirrorController.Protocol.Nvm;

namespace MirrorController.Tests.Unit.Nvm;

/// <summary>The recovery table of a superblock pair, a test a row.</summary>
public sealed class SuperblockPairTests
{
    [Fact]
    public void Row_1_the_higher_sequence_counts()
    {
        Assert.Equal((SuperblockState.Valid, 0), SuperblockPair.Choose(SuperblockState.Valid, 6, SuperblockState.Valid, 5));
        Assert.Equal((SuperblockState.Valid, 1), SuperblockPair.Choose(SuperblockState.Valid, 5, SuperblockState.Valid, 6));
    }

    [Fact]
    public void Row_2_two_generations_with_one_number_are_damage() =>
        Assert.Equal((SuperblockState.Damaged, -1), SuperblockPair.Choose(SuperblockState.Valid, 5, SuperblockState.Valid, 5));

    [Theory]
    [InlineData(SuperblockState.Blank)]
    [InlineData(SuperblockState.Damaged)]
    [InlineData(SuperblockState.Foreign)]
    public void Row_3_copy_0_counts_when_copy_1_is_torn(SuperblockState other) =>
        Assert.Equal((SuperblockState.Valid, 0), SuperblockPair.Choose(SuperblockState.Valid, 5, other, 0));

    [Theory]
    [InlineData(SuperblockState.Blank)]
    [InlineData(SuperblockState.Damaged)]
    [InlineData(SuperblockState.Foreign)]
    public void Row_4_copy_1_counts_when_copy_0_is_torn(SuperblockState other) =>
        Assert.Equal((SuperblockState.Valid, 1), SuperblockPair.Choose(other, 0, SuperblockState.Valid, 5));

    [Fact]
    public void Row_5_a_newer_format_is_refused_unless_the_other_copy_is_younger()
    {
        Assert.Equal((SuperblockState.Newer, 0), SuperblockPair.Choose(SuperblockState.Newer, 5, SuperblockState.Damaged, 0));
        Assert.Equal((SuperblockState.Newer, 1), SuperblockPair.Choose(SuperblockState.Valid, 5, SuperblockState.Newer, 6));
        Assert.Equal((SuperblockState.Valid, 0), SuperblockPair.Choose(SuperblockState.Valid, 7, SuperblockState.Newer, 6));
    }

    [Fact]
    public void Row_6_two_blank_places_are_a_blank_chip() =>
        Assert.Equal((SuperblockState.Blank, -1), SuperblockPair.Choose(SuperblockState.Blank, 0, SuperblockState.Blank, 0));

    [Theory]
    [InlineData(SuperblockState.Blank)]
    [InlineData(SuperblockState.Damaged)]
    [InlineData(SuperblockState.Foreign)]
    public void Row_7_one_damaged_copy_and_none_that_is_whole_are_damage(SuperblockState other) =>
        Assert.Equal((SuperblockState.Damaged, -1), SuperblockPair.Choose(SuperblockState.Damaged, 0, other, 0));

    [Fact]
    public void Row_8_another_program_s_bytes_are_foreign()
    {
        Assert.Equal((SuperblockState.Foreign, -1), SuperblockPair.Choose(SuperblockState.Foreign, 0, SuperblockState.Foreign, 0));
        Assert.Equal((SuperblockState.Foreign, -1), SuperblockPair.Choose(SuperblockState.Blank, 0, SuperblockState.Foreign, 0));
    }

    [Fact]
    public void A_chip_is_judged_before_anything_is_written_to_it()
    {
        Assert.Equal(NvmOpenState.Blank, Opened(image => image.AsSpan().Fill(0xFF)));
        Assert.Equal(NvmOpenState.Blank, Opened(image => image.AsSpan(600).Fill(0x12)));
        Assert.Equal(NvmOpenState.Foreign, Opened(image => image[100] = 1));
        Assert.Equal(NvmOpenState.Damaged, Opened(image => "Mirr"u8.CopyTo(image)));
        var ours = StoreRig.Fresh().Chip.Image;
        Assert.Equal(NvmOpenState.Newer, Opened(image => { ours.CopyTo(image, 0); image[8] = 2; image[264] = 2; }));
        Assert.Equal(NvmOpenState.Ok, Opened(image => { ours.CopyTo(image, 0); image[20] ^= 1; }));
        Assert.Equal(NvmOpenState.Damaged, Opened(image => { ours.CopyTo(image, 0); image[30] ^= 1; image[286] ^= 1; }));
        Assert.Equal(NvmOpenState.Damaged, Opened(image => { ours.CopyTo(image, 0); image[530] ^= 1; image[530 + 640] ^= 1; }));
    }

    [Fact]
    public void One_whole_or_newer_superblock_makes_a_chip_ours_whatever_else_is_wrong_with_it()
    {
        var ours = StoreRig.Fresh().Chip.Image;
        var both = new byte[32768];
        _ = BoardSuperblock.Read(ours.AsSpan(0, 256), 0, out var superblock, out _, out _);
        superblock!.WriteTo(both, 0);
        superblock.WriteTo(both.AsSpan(256), 1);

        AssertOurs(true, NvmOpenState.Ok, ours);
        AssertOurs(true, NvmOpenState.Ok, ours, image => image[20] ^= 1);
        AssertOurs(true, NvmOpenState.Damaged, both);
        AssertOurs(true, NvmOpenState.Damaged, ours, image => { image[530] ^= 1; image[530 + 640] ^= 1; });
        AssertOurs(true, NvmOpenState.Newer, ours, image => { image[8] = 2; image[264] = 2; });
        AssertOurs(true, NvmOpenState.Foreign, ours, pageBytes: 64);
        AssertOurs(false, NvmOpenState.Damaged, ours, image => { image[30] ^= 1; image[286] ^= 1; });
        AssertOurs(false, NvmOpenState.Foreign, new byte[32768], image => image[100] = 1);
        AssertOurs(false, NvmOpenState.Blank, new byte[32768]);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(9)]
    public void A_first_superblock_that_was_cut_in_its_format_is_torn_and_not_newer(int kept)
    {
        var whole = StoreRig.Fresh().Chip.Image;
        var torn = Enumerable.Repeat((byte)0xFF, 32768).ToArray();
        whole.AsSpan(0, kept).CopyTo(torn);
        AssertOurs(false, NvmOpenState.Damaged, torn);
    }

    private static void AssertOurs(bool isOurs, NvmOpenState state, byte[] content, Action<byte[]>? change = null, int pageBytes = 1)
    {
        byte[] image = [.. content];
        change?.Invoke(image);
        var opened = new StoreRig(image, pageBytes).Open();
        Assert.Equal((state, isOurs), (opened.State, opened.HoldsOurs));
    }

    private static NvmOpenState Opened(Action<byte[]> change)
    {
        var image = new byte[32768];
        change(image);
        var rig = new StoreRig(image, 1);
        var state = rig.Open().State;
        Assert.Empty(rig.Chip.Writes);
        return state;
    }
}
