using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>A member that went back in time counts as blank: the volume waits, and nothing is written anywhere (rule O5a).</summary>
public sealed class RestoredImageRulesTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_restored_image_is_found_at_the_opening(int board)
    {
        var rig = RecoveryRig.Started();
        var node = rig.Cluster.Boards[board];
        var image = BoardImage.Of(node);
        rig.Cluster.Await(rig.Cluster.WriteBlock(3, 30));
        rig.Settle();
        rig.Cluster.Host.PowerCut();
        node.PowerCut();
        var real = BoardImage.Of(node);
        image.RestoreTo(node);
        node.Start();
        rig.World.RunFor(500);
        var before = rig.Cluster.Boards.ConvertAll(BoardImage.Of);
        rig.Tap.Frames.Clear();
        rig.Cluster.Host.Start();
        rig.World.RunFor(5000);
        AssertWaitsFor(rig, board, "older image");
        // Nobody was asked for anything but its state, and no chip and no disk was written to.
        Assert.All(rig.Tap.Frames, f => Assert.Equal(Command.Survey, f.Header.Command & ~Command.Reply));
        Assert.True(before[0].IsSameAs(BoardImage.Of(rig.Cluster.Boards[0])));
        Assert.True(before[1].IsSameAs(BoardImage.Of(rig.Cluster.Boards[1])));
        node.PowerCut();
        real.RestoreTo(node);
        node.Start();
        rig.Cluster.RunUntilInSync();
        Assert.Equal(RecoveryRig.Block(30), rig.Cluster.Await(rig.Cluster.ReadBlock(3)).Data);
    }

    [Fact]
    public void A_member_that_returns_within_a_session_with_less_durable_is_not_used()
    {
        var rig = RecoveryRig.Started();
        var node = rig.Cluster.Boards[1];
        var image = BoardImage.Of(node);
        // Durable everywhere, and R is held back: only D tells.
        rig.Tap.Holds = f => f.Header.Command == Command.Retire;
        rig.Cluster.Await(rig.Cluster.WriteBlock(3, 30));
        rig.Cluster.Await(rig.Cluster.Flush());
        node.PowerCut();
        var real = BoardImage.Of(node);
        image.RestoreTo(node);
        rig.Tap.Release();
        ReturnAndExpect(rig, node, "returned with everything durable up to");
        node.PowerCut();
        real.RestoreTo(node);
        node.Start();
        rig.Cluster.RunUntilInSync();
    }

    [Fact]
    public void A_member_that_returns_within_a_session_with_an_older_session_is_not_used()
    {
        var rig = RecoveryRig.Started();
        var node = rig.Cluster.Boards[1];
        var image = BoardImage.Of(node);
        // Before R7 the marks are those of the session before: only the session's number tells.
        rig.Cluster.Host.PowerCut();
        rig.Tap.Holds = f => f.Is(Command.Sync, rig.NameOf(1));
        rig.Cluster.Host.Start();
        rig.World.RunUntil(() => rig.Tap.IsHolding);
        node.PowerCut();
        rig.Tap.Release();
        image.RestoreTo(node);
        ReturnAndExpect(rig, node, "returned with session");
        // Nor does it become younger by trying again.
        node.PowerCut();
        ReturnAndExpect(rig, node, "returned with session");
    }

    [Fact]
    public void A_member_that_returns_under_another_boot_id_with_no_higher_start_counter_is_not_used()
    {
        var rig = RecoveryRig.Started();
        var node = rig.Cluster.Boards[1];
        node.PowerCut();
        var image = BoardImage.Of(node);
        node.Start();
        rig.Cluster.RunUntilInSync();
        rig.World.RunFor(200);
        node.PowerCut();
        image.RestoreTo(node);
        ReturnAndExpect(rig, node, "another boot id");
    }

    [Fact]
    public void A_board_whose_chip_is_damaged_counts_as_blank()
    {
        var rig = RecoveryRig.Started();
        rig.Cluster.Await(rig.Cluster.WriteBlock(3, 30));
        rig.Settle();
        rig.Cluster.Host.PowerCut();
        var node = rig.Cluster.Boards[1];
        node.PowerCut();
        for (var at = 16; at < 1024; at += 8)
        {
            node.Nvm.Bytes[at] ^= 0x40;
        }

        var before = BoardImage.Of(node);
        node.Start();
        rig.Cluster.Host.Start();
        rig.World.RunFor(5000);
        AssertWaitsFor(rig, 1, "counts as blank");
        Assert.Equal(0, rig.Tap.Frames.Count(f => f.Header.Command == Command.Attach));
        Assert.True(before.IsSameAs(BoardImage.Of(node)));
    }

    private static void ReturnAndExpect(RecoveryRig rig, SimNode node, string reason)
    {
        var board = rig.Cluster.Boards.IndexOf(node);
        rig.Tap.Frames.Clear();
        node.Start();
        rig.World.RunFor(1000);
        var write = rig.Cluster.WriteBlock(6, 60);
        rig.World.RunFor(4000);
        AssertWaitsFor(rig, board, reason);
        Assert.False(write.IsDone);
        Assert.DoesNotContain(rig.Tap.Frames, f => f.To == node.Name);
        Assert.Equal(new byte[4096], rig.Cluster.PeekBlocks(board, 6));
        Assert.Empty(rig.Table(board).Marks);
    }

    private static void AssertWaitsFor(RecoveryRig rig, int board, string reason)
    {
        var status = rig.Coordinator.Describe();
        Assert.True(status.State == VolumeState.Waiting, $"{status.State}. {rig.World.Story}");
        Assert.Contains(rig.NameOf(board), status.WaitingFor, StringComparison.Ordinal);
        var member = status.Members[board];
        Assert.Equal("Refused", member.Sync);
        Assert.Contains(reason, member.Reason, StringComparison.Ordinal);
        Assert.Contains("resync", member.Reason, StringComparison.Ordinal);
    }
}
