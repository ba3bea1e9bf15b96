using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>What is closed until when, and in which order a recovery ends (rules R5 to R7).</summary>
public sealed class RecoverySettlingTests
{
    [Theory]
    [InlineData(true, 0)]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    [InlineData(false, 1)]
    public void What_the_plan_covers_stays_closed_until_it_is_durable_on_all_and_all_else_is_served(bool somethingToCopy, int last)
    {
        var rig = RecoveryRig.Started();
        if (somethingToCopy)
        {
            rig.WriteOnlyOn(0, 4, 40);
        }
        else
        {
            // Both have it and are sure: nothing is copied, yet it is durable nowhere.
            rig.Cluster.Await(rig.Cluster.WriteBlock(4, 40));
            rig.Cluster.Host.PowerCut();
        }

        var before = new[] { rig.State(0), rig.State(1) };
        rig.Tap.Frames.Clear();
        rig.Tap.IsOvertaken = true;
        rig.Tap.Holds = f => f.IsReply(Command.Sync, rig.NameOf(last));
        rig.Cluster.Host.Start();
        rig.World.RunUntil(() => rig.Tap.IsHolding);
        var closedRead = rig.Cluster.ReadBlock(4);
        var closedWrite = rig.Cluster.Write((4 * 4096) + 100, [1, 2, 3]);
        var read = rig.Cluster.ReadBlock(9);
        var write = rig.Cluster.WriteBlock(9, 90);
        var fua = rig.Cluster.WriteBlock(10, 100, fua: true);
        Assert.Equal(VolumeError.None, rig.Cluster.Await(read, 1000).Error);
        Assert.Equal(VolumeError.None, rig.Cluster.Await(write, 1000).Error);
        Assert.Equal(VolumeError.None, rig.Cluster.Await(fua, 1000).Error);
        var flush = rig.Cluster.Flush();
        rig.World.RunFor(1000);
        Assert.False(closedRead.IsDone);
        Assert.False(closedWrite.IsDone);
        Assert.False(flush.IsDone);
        Assert.Equal(1, rig.Coordinator.Describe().ClosedBlocks);
        Assert.Equal(VolumeState.Recovering, rig.Coordinator.Describe().State);
        Assert.Equal(0, rig.Tap.Count(Command.Flush) + rig.Tap.Count(Command.Retire) + rig.Tap.Count(Command.Settle));
        Assert.Equal(somethingToCopy ? 1 : 0, rig.Tap.Count(Command.Copy));
        for (var board = 0; board < 2; board++)
        {
            Assert.Equal((before[board].Durable, before[board].Retired), (rig.State(board).Durable, rig.State(board).Retired));
        }

        rig.Tap.Release();
        Assert.Equal(VolumeError.None, rig.Cluster.Await(closedRead).Error);
        Assert.Equal(VolumeError.None, rig.Cluster.Await(closedWrite).Error);
        Assert.Equal(VolumeError.None, rig.Cluster.Await(flush).Error);
        rig.Settle();
        var expected = RecoveryRig.Block(40);
        new byte[] { 1, 2, 3 }.CopyTo(expected, 100);
        Assert.Equal(expected, rig.Cluster.PeekBlocks(1, 4));
        rig.Cluster.AssertMirrorsEqual();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Before_the_sync_a_board_writes_back_what_its_unsure_entries_cover(int board)
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            var rig = RecoveryRig.Started(seed);
            rig.Cluster.Await(rig.Cluster.WriteBlock(4, 40));
            // The sync fails: the medium has some of it, the system takes all of it for clean.
            var faults = rig.Cluster.Boards[board].Disk.Faults;
            faults.FailSyncs = 1;
            rig.Cluster.Flush();
            rig.World.RunUntil(() => faults.FailSyncs == 0);
            rig.Cluster.Host.PowerCut();
            rig.RestartHost();
            rig.Cluster.RunUntilInSync();
            Assert.Equal(0, rig.Coordinator.LastRecovery!.CopiedBytes);
            rig.Cluster.Host.PowerCut();
            rig.RestartAllBoards();
            Assert.Equal(RecoveryRig.Block(40), rig.Cluster.PeekBlocks(board, 4));
            rig.Cluster.AssertMirrorsEqual();
        }
    }

    [Fact]
    public void Before_the_sync_a_board_writes_back_what_its_repair_marks_cover()
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            var rig = RecoveryRig.Started(seed);
            rig.WriteOnlyOn(0, 4, 40, count: 2);
            rig.Cluster.Boards[1].Disk.Faults.FailSyncs = 1;
            rig.RestartHost();
            rig.Cluster.RunUntilInSync();
            // The second attempt found equal hashes, over pages that were never written.
            Assert.True(rig.Coordinator.LastRecovery!.Attempts > 1);
            Assert.Equal(2 * 4096, rig.Coordinator.LastRecovery!.CopiedBytes);
            rig.Cluster.Host.PowerCut();
            rig.RestartAllBoards();
            Assert.Equal(SimApplication.Pattern(40, 2 * 4096), rig.Cluster.PeekBlocks(1, 4, 2));
        }
    }

    [Theory]
    [InlineData(Command.Collect)]
    [InlineData(Command.Hash)]
    [InlineData(Command.Copy)]
    [InlineData(Command.Sync)]
    public void A_member_that_restarts_meanwhile_voids_the_plan(Command during)
    {
        for (ulong seed = 1; seed <= 6; seed++)
        {
            var rig = RecoveryRig.Started(seed);
            rig.WriteOnlyOn(0, 4, 40, count: 4);
            rig.Cluster.Host.PowerCut();
            rig.Tap.Holds = f => f.Is(during, rig.NameOf(1));
            rig.Cluster.Host.Start();
            rig.World.RunUntil(() => rig.Tap.IsHolding);
            // What had been copied was in its cache only.
            rig.Cluster.Boards[1].PowerCut();
            rig.Tap.Release();
            rig.Tap.Frames.Clear();
            rig.World.RunFor(10);
            rig.Cluster.Boards[1].Start();
            rig.Cluster.RunUntilInSync();
            Assert.True(rig.Coordinator.LastRecovery!.Attempts > 1);
            Assert.True(rig.Tap.Count(Command.Collect, rig.NameOf(0)) > 0, "the tables were not collected again");
            rig.Cluster.Host.PowerCut();
            rig.RestartAllBoards();
            Assert.Equal(SimApplication.Pattern(40, 4 * 4096), rig.Cluster.PeekBlocks(1, 4, 4));
            rig.Cluster.AssertMirrorsEqual();
        }
    }

    [Fact]
    public void What_is_open_when_a_member_restarts_stays_open_and_out_of_the_new_plan()
    {
        var rig = RecoveryRig.Started();
        rig.WriteOnlyOn(0, 4, 40);
        rig.Cluster.Host.PowerCut();
        rig.Tap.Holds = f => f.Is(Command.Settle, rig.NameOf(1));
        rig.Cluster.Host.Start();
        rig.World.RunUntil(() => rig.Tap.IsHolding);
        Assert.Equal(RecoveryRig.Block(40), rig.Cluster.Await(rig.Cluster.ReadBlock(4), 500).Data);
        rig.Cluster.Boards[1].PowerCut();
        rig.Tap.Release();
        rig.Tap.Frames.Clear();
        // In flight while the next plan is made.
        var write = rig.Cluster.WriteBlock(4, 41);
        rig.World.RunFor(10);
        Assert.Equal(0, rig.Coordinator.Describe().ClosedBlocks);
        rig.Cluster.Boards[1].Start();
        rig.Cluster.RunUntilInSync();
        Assert.Equal(VolumeError.None, rig.Cluster.Await(write).Error);
        Assert.True(rig.Coordinator.LastRecovery!.Attempts > 1);
        Assert.Equal(0, rig.Tap.Count(Command.Hash) + rig.Tap.Count(Command.Copy));
        Assert.Equal(RecoveryRig.Block(41), rig.Cluster.PeekBlocks(0, 4));
        rig.Cluster.AssertMirrorsEqual();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void No_board_moves_R_before_D_is_stored_on_all(int last)
    {
        var rig = RecoveryRig.Started();
        rig.WriteOnlyOn(last, 4, 40);
        var before = new[] { rig.State(0), rig.State(1) };
        rig.Cluster.Host.PowerCut();
        rig.Tap.Holds = f => f.Is(Command.Settle, rig.NameOf(last));
        rig.Cluster.Host.Start();
        rig.World.RunUntil(() => rig.Tap.IsHolding);
        rig.World.RunFor(1000);
        var start = RecoveryRig.Start(rig.Session(0));
        Assert.Equal(start, rig.State(1 - last).Durable);
        Assert.Equal(0, rig.Tap.Count(Command.Finish));
        Assert.Equal((before[0].Retired, before[1].Retired), (rig.State(0).Retired, rig.State(1).Retired));
        Assert.NotEmpty(rig.Table(1 - last).Marks);
        Assert.Equal(1, rig.State(last).Entries);
        rig.Tap.Release();
        rig.Cluster.RunUntilInSync();
        Assert.Empty(rig.Table(1 - last).Marks);
        Assert.Equal(0, rig.State(last).Entries);
        Assert.Equal((start, start), (rig.State(0).Retired, rig.State(1).Retired));
    }

    [Fact]
    public void A_board_syncs_only_what_it_has_written_back_settles_only_what_it_has_synced_and_finishes_only_when_settled()
    {
        var rig = RecoveryRig.Started();
        rig.Cluster.Host.PowerCut();
        var hand = HandPeer.Start(rig.Cluster);
        var number = rig.Session(0) + 1;
        Assert.True(hand.AttachAndEndReplay(0, number, 1).IsOk);
        FrameHeader Frame(Command command, ulong attempt) => new() { Command = command, Session = number, Token = attempt };
        Assert.Equal(WireStatus.NotNow, hand.Ask(0, Frame(Command.Settle, 1)).Header.Status);
        Assert.Equal(WireStatus.NotNow, hand.Ask(0, Frame(Command.Sync, 1)).Header.Status);
        Assert.True(hand.Ask(0, Frame(Command.WriteBack, 1)).IsOk);
        Assert.True(hand.Ask(0, Frame(Command.Sync, 1)).IsOk);
        Assert.Equal(WireStatus.NotNow, hand.Ask(0, Frame(Command.Finish, 1)).Header.Status);
        Assert.Equal(WireStatus.NotNow, hand.Ask(0, Frame(Command.Settle, 2)).Header.Status);
        Assert.Equal(WireStatus.NotNow, hand.Ask(0, Frame(Command.Sync, 2)).Header.Status);
        Assert.True(hand.Ask(0, Frame(Command.WriteBack, 2)).IsOk);
        Assert.True(hand.Ask(0, Frame(Command.Sync, 2)).IsOk);
        Assert.True(rig.State(0).Durable < RecoveryRig.Start(number));
        Assert.True(hand.Ask(0, Frame(Command.Settle, 2)).IsOk);
        Assert.Equal(RecoveryRig.Start(number), rig.State(0).Durable);
        Assert.True(rig.State(0).Retired < RecoveryRig.Start(number));
        Assert.True(hand.Ask(0, Frame(Command.Finish, 2)).IsOk);
        Assert.Equal(RecoveryRig.Start(number), rig.State(0).Retired);
    }

    [Fact]
    public void R5_what_SETTLE_marked_is_written_back_for_the_next_session_though_its_entries_count_as_sure_by_then()
    {
        var rig = RecoveryRig.Started();
        rig.Cluster.Host.PowerCut();
        var hand = HandPeer.Start(rig.Cluster);
        var number = rig.Session(0) + 1;
        Assert.True(hand.AttachAndEndReplay(0, number, 1).IsOk);
        FrameHeader Frame(Command command) => new() { Command = command, Session = number, Token = 1 };
        Assert.True(hand.Ask(0, Frame(Command.WriteBack)).IsOk);
        Assert.True(hand.Ask(0, Frame(Command.Sync)).IsOk);
        Assert.True(hand.Ask(0, Frame(Command.Settle), RangeList.Write(new WireWriter(), [new BlockRange(4, 2)])).IsOk);

        // The host dies before FINISH, the board lives on.
        hand.Stop();
        var next = HandPeer.Start(rig.Cluster, "next");
        number++;
        Assert.True(next.AttachAndEndReplay(0, number, 2).IsOk);
        var before = rig.Cluster.Boards[0].Disk.OperationCount;
        Assert.True(next.Ask(0, Frame(Command.WriteBack)).IsOk);
        Assert.Equal(before + 2, rig.Cluster.Boards[0].Disk.OperationCount);
    }

    [Theory]
    [InlineData(Command.Settle, 0)]
    [InlineData(Command.Settle, 1)]
    [InlineData(Command.Finish, 0)]
    [InlineData(Command.Finish, 1)]
    public void Everything_dies_between_the_steps_of_R7_and_the_next_session_repeats_them(Command step, int last)
    {
        var rig = RecoveryRig.Started();
        rig.WriteOnlyOn(0, 4, 40);
        rig.Cluster.Host.PowerCut();
        rig.Tap.Holds = f => f.Is(step, rig.NameOf(last));
        rig.Cluster.Host.Start();
        rig.World.RunUntil(() => rig.Tap.IsHolding);
        rig.World.RunFor(100);
        rig.Cluster.Host.PowerCut();
        rig.Tap.Release();
        rig.RestartAllBoards();
        Assert.Equal(RecoveryRig.Block(40), rig.Cluster.PeekBlocks(0, 4));
        rig.RestartHost();
        rig.Cluster.RunUntilInSync();
        Assert.Equal(0, rig.Coordinator.LastRecovery!.CopiedBytes);
        Assert.Equal((0, 0), (rig.State(0).Entries + rig.State(1).Entries, rig.State(0).Marks + rig.State(1).Marks));
        Assert.Equal(RecoveryRig.Block(40), rig.Cluster.PeekBlocks(1, 4));
        rig.Cluster.AssertMirrorsEqual();
    }
}
