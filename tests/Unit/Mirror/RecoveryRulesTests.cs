using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>What is compared and copied after a crash (rules R1 to R4).</summary>
public sealed class RecoveryRulesTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Entries_up_to_the_highest_R_found_need_no_copy(int behind)
    {
        var rig = RecoveryRig.Started();
        // One board has retired the write, the other one still has its entry.
        rig.Tap.Holds = f => f.Is(Command.Retire, rig.NameOf(behind));
        rig.Cluster.Await(rig.Cluster.WriteBlock(3, 30));
        rig.Cluster.Await(rig.Cluster.Flush());
        rig.World.RunUntil(() => rig.Table(1 - behind).Table.Count == 0);
        Assert.Equal(1, rig.Table(behind).Table.Count);
        rig.Cluster.Host.PowerCut();
        rig.Tap.Release();
        rig.RestartAllBoards();
        rig.RestartHost();
        rig.Cluster.RunUntilInSync();
        Assert.Equal(0, rig.Coordinator.LastRecovery!.PlannedBlocks);
        Assert.Equal(0, rig.Tap.Count(Command.Hash));
        Assert.Equal(0, rig.Table(behind).Table.Count);
        Assert.Equal(RecoveryRig.Block(30), rig.Cluster.PeekBlocks(0, 3));
        rig.Cluster.AssertMirrorsEqual();
    }

    [Fact]
    public void A_board_is_told_that_its_replay_is_complete_before_its_table_is_collected_and_copies_nothing_before()
    {
        var rig = RecoveryRig.Started();
        rig.WriteOnlyOn(0, 4, 40);
        rig.RestartAllBoards();
        var hand = HandPeer.Start(rig.Cluster);
        var number = rig.Session(0) + 1;
        Assert.True(hand.Attach(0, number, 1).IsOk);
        Assert.True(hand.Attach(1, number, 1).IsOk);
        var copy = new FrameHeader { Command = Command.Copy, Session = number, Address = 4, Count = 1, Tag = rig.State(0).BootId, Token = 1 };
        var hash = new FrameHeader { Command = Command.Hash, Session = number, Address = 4, Count = 1, Token = 1 };
        WireWriter Source() => new WireWriter().Text(rig.NameOf(0)).I32(SimCluster.BoardPort);
        Assert.Equal(WireStatus.NotNow, hand.Ask(0, hash).Header.Status);
        Assert.Equal(WireStatus.NotNow, hand.Ask(1, copy, Source()).Header.Status);
        var done = new FrameHeader { Command = Command.ReplayDone, Session = number };
        Assert.True(hand.Ask(1, done).IsOk);
        // Now the target would, but its source must not be read yet.
        Assert.False(hand.Ask(1, copy, Source()).IsOk);
        Assert.True(hand.Ask(0, done).IsOk);
        Assert.True(hand.Ask(1, copy, Source()).IsOk);
        hand.Stop();

        rig.RestartHost();
        rig.Cluster.RunUntilInSync();
        for (var board = 0; board < 2; board++)
        {
            var told = rig.Tap.Frames.FindIndex(f => f.Is(Command.ReplayDone, rig.NameOf(board)));
            var collected = rig.Tap.Frames.FindIndex(f => f.Is(Command.Collect, rig.NameOf(board)));
            Assert.InRange(told, 0, collected - 1);
        }
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    [InlineData(1, true)]
    public void Matching_tags_over_different_data_are_found_by_what_a_board_is_unsure_of(int unsure, bool losesPower)
    {
        var rig = RecoveryRig.Started();
        rig.Cluster.Await(rig.Cluster.WriteBlock(4, 40));
        rig.Settle();
        // The entry is stored, then the data does not reach the disk: its power goes, or its disk fails.
        rig.WriteThatFailsOn(unsure, 4, 41);
        if (losesPower)
        {
            rig.RestartBoard(unsure);
            rig.World.RunFor(100);
        }

        Assert.Equal(rig.Table(0).Table[0].Tag, rig.Table(1).Table[0].Tag);
        Assert.Equal(RecoveryRig.Block(40), rig.Cluster.PeekBlocks(unsure, 4));
        Assert.Equal(RecoveryRig.Block(41), rig.Cluster.PeekBlocks(1 - unsure, 4));
        rig.RestartHost();
        rig.Cluster.RunUntilInSync();
        Assert.Equal(RecoveryRig.Block(41), rig.Cluster.PeekBlocks(0, 4));
        Assert.Equal(RecoveryRig.Block(41), rig.Cluster.PeekBlocks(1, 4));
        Assert.Equal(4096, rig.Coordinator.LastRecovery!.CopiedBytes);
        Assert.Equal(1, rig.Coordinator.LastRecovery!.PlannedBlocks);
    }

    [Fact]
    public void An_unmatched_entry_whose_owner_is_unsure_is_overwritten_not_copied()
    {
        var rig = RecoveryRig.Started();
        rig.Cluster.Await(rig.Cluster.WriteBlock(4, 40));
        rig.Settle();
        rig.Tap.Holds = f => f.Is(Command.Write, rig.NameOf(1));
        var faults = rig.Cluster.Boards[0].Disk.Faults;
        faults.FailWrites = 1;
        rig.Cluster.WriteBlock(4, 41);
        rig.World.RunUntil(() => faults.FailWrites == 0);
        rig.Cluster.Host.PowerCut();
        rig.World.RunFor(10);
        rig.Tap.Release();
        // Half of it got there.
        rig.Cluster.Boards[0].Disk.Poke(rig.Cluster.DataOffset + (4 * 4096), RecoveryRig.Block(41).AsSpan(0, 2048));
        rig.World.RunFor(10);
        rig.RestartHost();
        rig.Cluster.RunUntilInSync();
        Assert.Equal(RecoveryRig.Block(40), rig.Cluster.PeekBlocks(0, 4));
        rig.Cluster.AssertMirrorsEqual();
    }

    [Fact]
    public void What_is_equal_by_its_hash_is_not_copied()
    {
        var rig = RecoveryRig.Started();
        // The disk took the data and reported a fault: the board is unsure of what is right.
        var faults = rig.Cluster.Boards[1].Disk.Faults;
        faults.FailedWritesAreTaken = true;
        faults.FailWrites = 1;
        rig.Cluster.WriteBlock(4, 40);
        rig.World.RunUntil(() => faults.FailWrites == 0 && rig.Cluster.PeekBlocks(0, 4).AsSpan().SequenceEqual(RecoveryRig.Block(40)));
        rig.Cluster.Host.PowerCut();
        rig.RestartHost();
        rig.Cluster.RunUntilInSync();
        Assert.Equal(1, rig.Coordinator.LastRecovery!.PlannedBlocks);
        Assert.Equal(0, rig.Coordinator.LastRecovery!.CopiedBytes);
        Assert.Equal(2, rig.Tap.Count(Command.Hash));
        Assert.Equal(0, rig.Tap.Count(Command.Copy));
        rig.Cluster.AssertMirrorsEqual();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Copies_go_from_board_to_board(int owner)
    {
        var rig = RecoveryRig.Started();
        rig.WriteOnlyOn(owner, 4, 40, count: 3);
        rig.RestartHost();
        rig.Cluster.RunUntilInSync();
        rig.Cluster.AssertMirrorsEqual();
        Assert.Equal(SimApplication.Pattern(40, 3 * 4096), rig.Cluster.PeekBlocks(1 - owner, 4, 3));
        Assert.Equal(3 * 4096, rig.Coordinator.LastRecovery!.CopiedBytes);
        Assert.Equal(1, rig.Tap.Count(Command.Copy, rig.NameOf(1 - owner)));
        var read = Assert.Single(rig.Tap.Frames, f => f.Header.Command == Command.CopyRead);
        Assert.Equal((rig.NameOf(1 - owner), rig.NameOf(owner)), (read.From, read.To));
        Assert.Equal(0, rig.Tap.Count(Command.Read) + rig.Tap.Count(Command.Write) + rig.Tap.Count(Command.Read | Command.Reply));
    }

    [Fact]
    public void A_late_copy_of_an_older_attempt_is_not_written()
    {
        var rig = RecoveryRig.Started();
        rig.WriteOnlyOn(0, 4, 40);
        var hand = HandPeer.Start(rig.Cluster);
        var number = rig.Session(0) + 1;
        Assert.True(hand.AttachAndEndReplay(0, number, 1).IsOk);
        Assert.True(hand.AttachAndEndReplay(1, number, 1).IsOk);
        var copy = new FrameHeader { Command = Command.Copy, Session = number, Address = 4, Count = 1, Tag = rig.State(0).BootId, Token = 1 };
        WireWriter Source() => new WireWriter().Text(rig.NameOf(0)).I32(SimCluster.BoardPort);
        rig.Tap.Holds = f => f.IsReply(Command.CopyRead, rig.NameOf(0));
        var late = hand.Begin(1, copy, Source());
        rig.World.RunUntil(() => rig.Tap.IsHolding);
        Assert.True(hand.Ask(1, new FrameHeader { Command = Command.Hash, Session = number, Address = 9, Count = 1, Token = 2 }).IsOk);
        rig.Tap.Release();
        Assert.Equal(WireStatus.StaleAttempt, hand.Await(late).Header.Status);
        Assert.Equal(new byte[4096], rig.Cluster.PeekBlocks(1, 4));
        Assert.Empty(rig.Table(1).Marks);
        foreach (var command in new[] { Command.Hash, Command.Copy, Command.Sync, Command.Settle, Command.Finish })
        {
            Assert.Equal(WireStatus.StaleAttempt, hand.Ask(1, copy with { Command = command }, Source()).Header.Status);
        }

        Assert.True(hand.Ask(1, copy with { Token = 2 }, Source()).IsOk);
        Assert.Equal(RecoveryRig.Block(40), rig.Cluster.PeekBlocks(1, 4));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_repair_mark_is_durable_before_the_first_byte_of_a_copy(bool slowChip)
    {
        var changed = 0;
        for (var operation = 1; CutWhileCopying(operation, slowChip, ref changed); operation++)
        {
            Assert.True(operation < 100);
        }

        Assert.True(changed > 0, "no cut met the copy itself");
    }

    private static bool CutWhileCopying(int operation, bool slowChip, ref int changed)
    {
        var rig = RecoveryRig.Started((ulong)operation, world: new SimOptions { NvmDelayMaxMicros = slowChip ? 2000 : 0 });
        rig.WriteOnlyOn(0, 4, 40, count: 4);
        var target = rig.Cluster.Boards[1];
        rig.Tap.Arrives = f =>
        {
            if (f.Is(Command.Copy, target.Name))
            {
                target.PowerCutAtOperation(operation);
                rig.Tap.Arrives = null;
            }
        };
        rig.RestartHost();
        rig.World.RunUntil(() => !target.IsRunning || rig.Coordinator.Describe().State == VolumeState.InSync);
        if (target.IsRunning)
        {
            return false;
        }

        rig.Cluster.Host.PowerCut();
        rig.World.RunFor(10);
        target.Start();
        rig.World.RunUntil(() => target.Instance is Firmware.Array.BoardNode { Table: not null });
        if (rig.Cluster.PeekBlocks(1, 4, 4).AsSpan().IndexOfAnyExcept((byte)0) >= 0)
        {
            changed++;
            Assert.True(rig.Table(1).Marks.Any(m => m.Range.Start <= 4 && m.Range.End >= 8) || rig.State(1).Durable >= RecoveryRig.Start(rig.Session(1)),
                $"operation {operation}: the copy is on the disk and no mark says so. {rig.World.Story}");
        }

        rig.RestartHost();
        rig.Cluster.RunUntilInSync();
        rig.Cluster.AssertMirrorsEqual();
        Assert.Equal(SimApplication.Pattern(40, 4 * 4096), rig.Cluster.PeekBlocks(1, 4, 4));
        return true;
    }
}
