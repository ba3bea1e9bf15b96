using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>Rule 9 for a board's own devices: once chip and disk work again, everything goes on, and nobody starts the board.</summary>
public sealed class StartAgainTests
{
    [Fact]
    public void A_chip_that_failed_for_a_while_is_opened_anew_and_nothing_is_lost()
    {
        var cluster = Started(out var board);
        Assert.Equal(VolumeError.None, cluster.Await(cluster.WriteBlock(1, 1)).Error);
        board.Nvm.IsBroken = true;
        var held = cluster.WriteBlock(2, 2);
        cluster.World.RunUntil(() => cluster.Board(0).Describe().Condition == BoardCondition.Failed);
        cluster.World.RunFor(5000);
        Assert.False(held.IsDone);
        board.Nvm.IsBroken = false;

        Assert.Equal(VolumeError.None, cluster.Await(held).Error);
        AssertHealed(cluster, board, (1, 1), (2, 2));
    }

    [Fact]
    public void A_chip_that_does_not_answer_at_the_start_is_asked_again()
    {
        var cluster = Started(out var board);
        board.PowerCut();
        board.Nvm.IsBroken = true;
        board.Start();
        cluster.World.RunFor(5000);
        Assert.Equal(BoardCondition.Failed, cluster.Board(0).Describe().Condition);
        board.Nvm.IsBroken = false;
        cluster.RunUntilInSync();
        Assert.Equal(2, board.StartCount);
    }

    [Fact]
    public void A_disk_that_was_unplugged_under_a_running_board_is_opened_anew_when_it_is_back()
    {
        var cluster = Started(out var board);
        Assert.Equal(VolumeError.None, cluster.Await(cluster.WriteBlock(1, 1)).Error);
        board.Disk.Faults.IsAway = true;
        var held = cluster.WriteBlock(2, 2);
        cluster.World.RunFor(15_000);
        Assert.False(held.IsDone);
        Assert.Equal(VolumeState.Waiting, cluster.Coordinator.Describe().State);
        board.Disk.Faults.IsAway = false;

        Assert.Equal(VolumeError.None, cluster.Await(held).Error);
        AssertHealed(cluster, board, (1, 1), (2, 2));
    }

    [Fact]
    public void A_disk_of_which_nothing_can_be_read_is_opened_anew_though_nobody_writes()
    {
        var cluster = Started(out var board);
        var before = cluster.Board(0).Describe().StartCounter;
        // It comes back as another device: who has the old one open has nothing.
        board.Disk.Faults.IsAway = true;
        board.Disk.Faults.IsAway = false;
        for (var i = 0; i < 200; i++)
        {
            Assert.Equal(VolumeError.None, cluster.Await(cluster.ReadBlock(i % 8)).Error);
            cluster.World.RunFor(50);
        }

        cluster.RunUntilInSync();
        Assert.Equal(before + 1, cluster.Board(0).Describe().StartCounter);
        AssertHealed(cluster, board);
    }

    [Fact]
    public void Blocks_that_cannot_be_read_are_no_reason_to_start_again()
    {
        var cluster = Started(out var board);
        var before = cluster.Board(0).Describe().StartCounter;
        board.Disk.Faults.Spoiled.Add((cluster.DataOffset, SimCluster.BlockBytes));
        for (var i = 0; i < 200; i++)
        {
            Assert.Equal(VolumeError.None, cluster.Await(cluster.ReadBlock(0)).Error);
            cluster.World.RunFor(50);
        }

        Assert.Equal(before, cluster.Board(0).Describe().StartCounter);
    }

    [Fact]
    public void Syncs_that_fail_for_long_make_a_board_start_again_at_growing_intervals()
    {
        var cluster = Started(out var board);
        board.Disk.Faults.FailSyncs = int.MaxValue;
        _ = cluster.WriteBlock(1, 1);
        _ = cluster.Flush();
        cluster.World.RunFor(300_000);
        var opened = cluster.World.Log.Count(l => l.Contains("The board has started again", StringComparison.Ordinal));
        Assert.InRange(opened, 2, 12);
        board.Disk.Faults.FailSyncs = 0;
        cluster.RunUntilInSync(120_000);
        AssertHealed(cluster, board, (1, 1));
    }

    private static SimCluster Started(out SimNode board)
    {
        var cluster = SimCluster.Started(new SimWorld(1));
        board = cluster.Boards[0];
        return cluster;
    }

    private static void AssertHealed(SimCluster cluster, SimNode board, params (long Block, ulong Version)[] written)
    {
        Assert.Equal(VolumeError.None, cluster.Await(cluster.Flush()).Error);
        cluster.RunUntilInSync();
        Assert.Equal(1, board.StartCount);
        cluster.AssertMirrorsEqual();
        board.PowerCut();
        board.Start();
        cluster.World.RunFor(1000);
        cluster.RunUntilInSync();
        foreach (var (block, version) in written)
        {
            Assert.Equal(RecoveryRig.Block(version), cluster.PeekBlocks(0, block));
        }
    }
}
