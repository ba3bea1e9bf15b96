using MirrorController.Protocol.Nvm;

namespace MirrorController.Tests.Unit.Nvm;

public sealed class NvmFaultTests
{
    [Fact]
    public void A_failed_transfer_is_written_again_in_place()
    {
        var rig = StoreRig.Fresh();
        rig.Append(1, 1);
        rig.Chip.Writes.Clear();
        rig.Chip.FailingWrites = 3;
        rig.CommitGood();
        Assert.Equal(4, rig.Chip.Writes.Count);
        Assert.Single(rig.Chip.Writes.Distinct());
        Assert.Equal(1, rig.Reopened().Volume.Table.Count);
    }

    [Fact]
    public void A_batch_whose_header_reads_back_wrong_is_written_again_in_place()
    {
        var rig = StoreRig.Fresh();
        rig.Append(1, 1);
        rig.Chip.Writes.Clear();
        rig.Chip.LyingWrites = 2;
        rig.CommitGood();
        Assert.Equal(3, rig.Chip.Writes.Count);
        Assert.Single(rig.Chip.Writes.Distinct());
        Assert.Equal(1, rig.Reopened().Volume.Table.Count);
    }

    [Fact]
    public void A_superblock_that_reads_back_wrong_is_written_again_in_place()
    {
        var rig = StoreRig.Fresh();
        rig.Chip.Writes.Clear();
        rig.Chip.LyingWrites = 1;
        rig.Good(() => rig.Store.StoreVolumeAsync(0, rig.Volume.Record with { MustRewrite = true }));
        Assert.Equal(3, rig.Chip.Writes.Count);
        Assert.True(rig.Reopened().Volume.Record.MustRewrite);
    }

    [Fact]
    public void Beyond_bounds_the_chip_has_failed_and_everything_says_so()
    {
        var rig = StoreRig.Fresh();
        rig.Append(1, 1);
        rig.Chip.FailingWrites = int.MaxValue;
        var first = rig.Commit();
        Assert.True(first.Ended);
        Assert.Contains("failed", first.Status.Fault, StringComparison.Ordinal);
        rig.Chip.FailingWrites = 0;
        var writes = rig.Chip.Writes.Count;
        Assert.Equal(first.Status.Fault, rig.Commit().Status.Fault);
        Assert.Equal(first.Status.Fault, rig.Loop.Run(rig.Store.RestartAsync).Fault);
        Assert.Equal(first.Status.Fault, rig.Store.Fault);
        Assert.Equal(writes, rig.Chip.Writes.Count);
    }

    [Fact]
    public void A_failed_transfer_costs_growing_pauses_and_no_other_batch_overtakes()
    {
        var rig = StoreRig.Fresh();
        rig.Append(1, 1);
        rig.Chip.FailingWrites = 2;
        var first = new StoreRig.Outcome();
        rig.Loop.Within(() => rig.Store.Commit(first));
        rig.Loop.RunTurn();
        Assert.False(first.Ended);
        rig.Append(2, 2);
        rig.CommitGood();
        Assert.True(first.Ended);
        Assert.True(rig.Loop.NowMicros >= 6000, "2 ms, then 4 ms");
        Assert.Equal(2, rig.Reopened().Volume.Table.Count);
    }

    [Fact]
    public void A_damaged_record_in_the_middle_makes_the_board_count_as_blank()
    {
        var rig = StoreRig.Fresh();
        for (ulong i = 1; i <= 20; i++)
        {
            rig.Append(i, (long)i);
            rig.CommitGood();
        }

        var (address, length) = rig.Chip.Writes[^10];
        for (var at = 0; at < length; at++)
        {
            var other = new StoreRig([.. rig.Chip.Image], 1);
            other.Chip.Image[address + at] ^= 0x10;
            Assert.Equal(NvmOpenState.Damaged, other.Open().State);
        }
    }

    [Fact]
    public void A_damaged_first_batch_of_a_start_makes_the_board_count_as_blank()
    {
        var rig = StoreRig.Fresh().Restarted();
        var (address, length) = rig.Chip.Writes[^1];
        rig.Append(1, 1);
        rig.CommitGood();
        for (var at = 0; at < length; at++)
        {
            var other = new StoreRig([.. rig.Chip.Image], 1);
            other.Chip.Image[address + at] ^= 0x10;
            Assert.Equal(NvmOpenState.Damaged, other.Open().State);
        }
    }
}
