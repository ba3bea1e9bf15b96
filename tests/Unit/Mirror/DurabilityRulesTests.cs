using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>The rules of durability and retirement, D1 and D3 to D6. See docs/protocol.md.</summary>
public sealed class DurabilityRulesTests
{
    private const int QuietMs = 50;

    [Fact]
    public void D1_a_flush_makes_the_disk_durable_before_it_stores_D()
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        script.Await(script.Write(1, 3));
        cluster.Boards[0].Disk.Faults.IsHanging = true;
        var flush = script.Send(script.FlushFrame(1));
        cluster.World.RunFor(QuietMs);
        Assert.Null(script.Answer(flush));
        Assert.Equal(Tag.None, cluster.Board(0).Table!.Durable);
        cluster.Boards[0].Disk.Faults.IsHanging = false;
        Assert.Equal(Tag.Of(1, 1).Value, script.Await(flush).Header.Tag);
        Assert.Equal(0, cluster.Boards[0].Disk.UnsyncedSectors);

        // D is stored, not only known.
        ScriptedMirror.Restarted(cluster);
        Assert.Equal(Tag.Of(1, 1), cluster.Board(0).Table!.Durable);
    }

    [Fact]
    public void D1_D_is_the_L_of_the_flush_and_not_the_highest_tag_held()
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        script.Await(script.Write(1, 3));
        script.Await(script.Write(3, 5));
        Assert.Equal(Tag.Of(1, 1).Value, script.Flush(1).Header.Tag);
        Assert.Equal(Tag.Of(1, 1), cluster.Board(0).Table!.Durable);
    }

    [Fact]
    public void D1_L_never_passes_a_write_that_the_member_has_not_replied_to()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        var (a, b) = ScriptedMirror.Hold(cluster, Command.Write, Command.Flush);
        var writes = Enumerable.Range(1, 3).Select(i => cluster.WriteBlock(i, (ulong)i)).ToList();
        cluster.World.RunUntil(() => a.Writes.Count == 3 && b.Writes.Count == 3);
        a.Of(Command.Write).ForEach(a.Obey);
        b.Obey(b.Of(Command.Write)[0]);
        b.Obey(b.Of(Command.Write)[2]);
        cluster.World.RunFor(QuietMs);
        Assert.Equal([true, false, true], writes.ConvertAll(w => w.IsDone));
        cluster.Flush();
        cluster.World.RunFor(QuietMs);
        Assert.Equal([Tag.Of(1, 3).Value], a.Of(Command.Flush).ConvertAll(f => f.Header.Tag));
        Assert.All(b.Of(Command.Flush), f => Assert.True(f.Header.Tag <= Tag.Of(1, 1).Value));
        b.Obey(b.Of(Command.Write)[1]);
        cluster.World.RunFor(QuietMs);
        Assert.Equal(Tag.Of(1, 3).Value, b.Of(Command.Flush)[^1].Header.Tag);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void D1_after_a_failed_sync_or_synchronous_write_the_board_counts_as_restarted(bool synchronousWrite)
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        script.Await(script.Write(1, 3));
        script.Flush(1);
        script.Await(script.Write(2, 4));
        var board = cluster.Board(0);
        var bystander = ScriptedCoordinator.Connect(cluster, role: HelloRole.Status);
        var (boot, counter) = (board.BootId, board.Describe().StartCounter);
        if (synchronousWrite)
        {
            cluster.Boards[0].Disk.Faults.FailWrites = 1;
            script.Write(3, 5, flags: FrameFlags.Fua);
        }
        else
        {
            cluster.Boards[0].Disk.Faults.FailSyncs = 1;
            script.Send(script.FlushFrame(2));
        }

        cluster.World.RunUntil(() => script.Closed is not null && bystander.Closed is not null && board.BootId != boot);
        Assert.DoesNotContain(script.Received, f => f.Header.Command == (Command.Flush | Command.Reply) && f.Header.Status == WireStatus.Ok && f.Header.Tag > Tag.Of(1, 1).Value);
        Assert.Equal(Tag.Of(1, 1), board.Table!.Durable);
        Assert.Equal(counter + 1, board.Describe().StartCounter);
        for (var i = 0; i < board.Table.Table.Count; i++)
        {
            Assert.Equal(board.Table.Table[i].Tag <= Tag.Of(1, 1), board.Table.Table[i].Sure);
        }

        // A sync that succeeds now proves nothing: without the replay there is no flush and no read.
        script = ScriptedCoordinator.Attached(cluster, replayDone: false);
        Assert.Equal(WireStatus.NotNow, script.Flush(2).Header.Status);
        Assert.Equal(WireStatus.NotNow, script.Read(4).Header.Status);

        // The counter is stored: the next start has a higher one.
        cluster.Boards[0].PowerCut();
        cluster.Boards[0].Start();
        cluster.World.RunFor(QuietMs);
        Assert.Equal(counter + 2, cluster.Board(0).Describe().StartCounter);
    }

    [Fact]
    public void D1_a_flush_of_a_write_that_is_not_answered_is_refused()
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        script.Await(script.Write(1, 3));
        cluster.Boards[0].Disk.Faults.ExtraDelayMicros = 500_000;
        var second = script.Write(2, 4);
        cluster.World.RunUntil(() => cluster.Board(0).Table!.Table.Count == 2);

        Assert.Equal(WireStatus.Invalid, script.Flush(2).Header.Status);
        Assert.Equal(WireStatus.Ok, script.Flush(1).Header.Status);
        Assert.Equal(WireStatus.Ok, script.Await(second).Header.Status);
        Assert.Equal(WireStatus.Ok, script.Flush(2).Header.Status);
        Assert.Equal(Tag.Of(1, 2), cluster.Board(0).Table!.Durable);
    }

    [Fact]
    public void D1_a_sync_asked_for_before_the_restart_counts_when_it_fails_after_the_replay()
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        var (board, disk) = (cluster.Board(0), cluster.Boards[0].Disk);
        script.Await(script.Write(1, 3));
        disk.Faults.FailSyncs = 2;
        disk.Faults.ExtraDelayMicros = 500_000;
        script.Write(1, 3, flags: FrameFlags.Fua | FrameFlags.Resent);
        cluster.World.RunFor(QuietMs);
        script.Send(script.FlushFrame(1));
        cluster.World.RunUntil(() => disk.Faults.FailSyncs == 1 && script.Closed is not null);

        // The first sync has failed, the flush's is running: now comes the replay.
        disk.Faults.ExtraDelayMicros = 0;
        cluster.World.RunFor(QuietMs);
        var boot = board.BootId;
        script = ScriptedCoordinator.Attached(cluster, replayDone: false);
        script.Await(script.Write(1, 3, flags: FrameFlags.Resent));
        script.Ask(script.Frame(Command.ReplayDone));
        Assert.True(board.Table!.Table[0].Sure);
        Assert.Equal(1, disk.Faults.FailSyncs);
        cluster.World.RunUntil(() => disk.Faults.FailSyncs == 0);
        cluster.World.RunFor(QuietMs);
        Assert.NotEqual(boot, board.BootId);
        Assert.NotNull(script.Closed);
        Assert.False(board.Table.Table[0].Sure);
        Assert.Equal(Tag.None, board.Table.Durable);
    }

    [Fact]
    public void D1_what_a_failed_sync_left_clean_is_written_again_before_the_flush_is_answered()
    {
        for (ulong seed = 1; seed <= 8; seed++)
        {
            var cluster = SimCluster.Started(new SimWorld(seed));
            cluster.Boards[0].Disk.Faults.FailSyncs = 1;
            for (var i = 0; i < 8; i++)
            {
                cluster.Await(cluster.WriteBlock(i, (ulong)i + 1));
            }

            Assert.Equal(VolumeError.None, cluster.Await(cluster.Flush()).Error);
            Assert.Equal(0, cluster.Boards[0].Disk.Faults.FailSyncs);
            cluster.Host.PowerCut();
            cluster.Boards.ForEach(b => b.PowerCut());
            cluster.Boards.ForEach(b => b.Start());
            cluster.World.RunFor(QuietMs);
            for (var i = 0; i < 8; i++)
            {
                Assert.Equal(ScriptedCoordinator.Content((ulong)i + 1), cluster.PeekBlocks(0, i));
                Assert.Equal(ScriptedCoordinator.Content((ulong)i + 1), cluster.PeekBlocks(1, i));
            }
        }
    }

    [Fact]
    public void D3_a_flush_is_complete_when_the_D_of_every_member_has_passed_it()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        cluster.Await(cluster.WriteBlock(3, 1));
        var (a, b) = ScriptedMirror.Hold(cluster, Command.Flush);
        var flush = cluster.Flush();
        cluster.World.RunUntil(() => a.Of(Command.Flush).Count == 1 && b.Of(Command.Flush).Count == 1);
        a.Obey(a.Of(Command.Flush)[0]);
        cluster.World.RunFor(QuietMs);
        Assert.False(flush.IsDone);
        b.Obey(b.Of(Command.Flush)[0]);
        Assert.Equal(VolumeError.None, cluster.Await(flush).Error);
    }

    [Fact]
    public void D3_a_flush_covers_what_was_acknowledged_before_it_and_does_not_wait_for_more()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        cluster.Await(cluster.WriteBlock(3, 1));
        ScriptedMirror.Hold(cluster, Command.Write);
        cluster.WriteBlock(4, 2);
        cluster.World.RunFor(QuietMs);
        Assert.Equal(VolumeError.None, cluster.Await(cluster.Flush(), 1000).Error);
        Assert.Equal(Tag.Of(1, 1), cluster.Scripted(0).Durable);
    }

    [Fact]
    public void D4_the_watermark_is_the_lowest_D_of_all_members()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        cluster.Await(cluster.WriteBlock(1, 1));
        cluster.Await(cluster.Flush());
        cluster.Await(cluster.WriteBlock(2, 2));
        var (a, b) = ScriptedMirror.Hold(cluster, Command.Flush);
        cluster.Flush();
        cluster.World.RunUntil(() => a.Of(Command.Flush).Count == 2 && b.Of(Command.Flush).Count == 2);
        a.Obey(a.Of(Command.Flush)[1]);
        cluster.World.RunFor(500);
        cluster.Await(cluster.WriteBlock(3, 3));
        Assert.Equal(Tag.Of(1, 2), a.Durable);
        Assert.All(a.Received.Concat(b.Received), f => Assert.True(f.Header.Watermark <= Tag.Of(1, 1).Value));
        Assert.Equal(Tag.Of(1, 1), cluster.Coordinator.Watermark);
        Assert.Equal(2, cluster.Coordinator.Describe().ReplayBufferWrites);
        b.Obey(b.Of(Command.Flush)[1]);

        // When idle the watermark has a message of its own, once.
        cluster.World.RunFor(500);
        Assert.Equal(Tag.Of(1, 2).Value, a.Received[^1].Header.Watermark);
        Assert.Equal(Command.Retire, a.Received[^1].Header.Command);
        Assert.Single(a.Of(Command.Retire), f => f.Header.Watermark == Tag.Of(1, 2).Value);
    }

    [Fact]
    public void D4_a_write_that_FUA_made_durable_stays_in_the_replay_buffer_and_is_replayed()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        cluster.Await(cluster.WriteBlock(3, 1));
        cluster.Await(cluster.WriteBlock(3, 2, fua: true));
        Assert.Equal(2, cluster.Coordinator.Describe().ReplayBufferWrites);
        var b = cluster.Scripted(1);
        b.Restart();
        cluster.World.RunUntil(() => b.Writes.Count == 4);
        Assert.Equal([1UL, 2UL, 1UL, 2UL], b.Writes);
        Assert.Equal(FrameFlags.Fua | FrameFlags.Resent, b.Received[^1].Header.Flags & (FrameFlags.Fua | FrameFlags.Resent));
    }

    [Fact]
    public void D4_a_board_keeps_the_entries_above_the_watermark_and_refuses_one_above_its_D()
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        script.Await(script.Write(1, 3));
        script.Await(script.Write(2, 3, flags: FrameFlags.Fua));
        Assert.Equal(2, cluster.Board(0).Table!.Table.Count);
        Assert.Equal(WireStatus.Invalid, script.Retire(2).Header.Status);
        cluster.World.RunFor(500);
        Assert.Equal(2, cluster.Board(0).Table!.Table.Count);
        Assert.Equal(Tag.None, cluster.Board(0).Table!.Retired);
    }

    [Fact]
    public void D4_a_token_is_checked_and_never_obeyed()
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        var tokens = Enumerable.Range(1, 3).Select(i => script.Await(script.Write((ulong)i, i)).Header.Token).ToArray();
        script.Flush(3);

        // A token of a write above the watermark: one of both is wrong, nothing goes.
        Assert.Equal(WireStatus.Invalid, script.Retire(1, tokens[2]).Header.Status);
        cluster.World.RunFor(500);
        Assert.Equal(Tag.None, cluster.Board(0).Table!.Retired);
        Assert.Equal(3, cluster.Board(0).Table!.Table.Count);

        // One below it: what goes is what the watermark says.
        Assert.Equal(Tag.Of(1, 2).Value, script.Retire(2, tokens[0]).Header.Watermark);
        Assert.Equal(1, cluster.Board(0).Table!.Table.Count);
        Assert.Equal(Tag.Of(1, 3), cluster.Board(0).Table!.Table[0].Tag);
    }

    [Fact]
    public void D4_tokens_of_an_earlier_boot_mean_nothing()
    {
        // The board: the numbers begin anew, and a message to the earlier boot is refused whole.
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        var oldBoot = script.BootId;
        Enumerable.Range(1, 3).Select(i => script.Write((ulong)i, i)).ToList().ForEach(w => script.Await(w));
        script.Flush(2);
        script = ScriptedMirror.Restarted(cluster);
        var newBoot = script.BootId;
        script.BootId = oldBoot;
        Assert.Equal(WireStatus.WrongBoot, script.Retire(2, 2).Header.Status);
        script.BootId = newBoot;
        Assert.Equal(Tag.Of(1, 2).Value, script.Retire(2, 3).Header.Watermark);
        Assert.Equal(1UL, script.Await(script.Write(3, 3, flags: FrameFlags.Resent)).Header.Token);
    }

    [Fact]
    public void D4_a_coordinator_sends_no_token_of_an_earlier_boot()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        cluster.Await(cluster.WriteBlock(1, 1));
        cluster.Await(cluster.WriteBlock(2, 2));
        cluster.Await(cluster.Flush());
        var b = cluster.Scripted(1);
        cluster.World.RunFor(500);
        Assert.Equal(2UL, b.Of(Command.Retire)[^1].Header.Token);
        var before = b.Received.Count;
        b.Restart();
        cluster.World.RunFor(2000);
        cluster.Await(cluster.WriteBlock(3, 3));
        Assert.Contains(b.Received.Skip(before), f => f.Header.Command == Command.Write);
        Assert.All(b.Received.Skip(before).Where(f => f.Header.Command is Command.Write or Command.Retire), f => Assert.Equal(0UL, f.Header.Token));
    }

    [Fact]
    public void D5_R_moves_to_the_watermark_given_and_never_to_an_entry()
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        script.Await(script.Write(1, 3));
        script.Await(script.Write(5, 4));
        script.Flush(5);

        // Tag 3 was never here: R is 3 all the same, and neither 1 nor 5.
        Assert.Equal(Tag.Of(1, 3).Value, script.Retire(3).Header.Watermark);
        Assert.Equal(Tag.Of(1, 3), cluster.Board(0).Table!.Retired);
        Assert.Equal(Tag.Of(1, 5), cluster.Board(0).Table!.Table[0].Tag);
        ScriptedMirror.Restarted(cluster);
        Assert.Equal(Tag.Of(1, 3), cluster.Board(0).Table!.Retired);
        Assert.Equal(1, cluster.Board(0).Table!.Table.Count);
    }

    [Fact]
    public void B1_D_and_R_never_go_back_by_a_late_message()
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        Enumerable.Range(1, 3).Select(i => script.Write((ulong)i, i)).ToList().ForEach(w => script.Await(w));
        script.Flush(3);
        script.Retire(2);
        Assert.Equal(Tag.Of(1, 3).Value, script.Flush(1).Header.Tag);
        Assert.Equal(Tag.Of(1, 2).Value, script.Retire(1).Header.Watermark);
        ScriptedMirror.Restarted(cluster);
        Assert.Equal((Tag.Of(1, 3), Tag.Of(1, 2)), (cluster.Board(0).Table!.Durable, cluster.Board(0).Table!.Retired));
    }

    [Fact]
    public void D6_a_tag_is_drawn_only_when_every_member_has_room_by_its_stored_R()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        var (a, b) = ScriptedMirror.Hold(cluster, Command.Retire);
        b.Capacity = 4;
        b.Restart();
        cluster.World.RunUntil(() => b.Welcomes == 2);
        cluster.RunUntilInSync();
        var writes = Enumerable.Range(1, 6).Select(i => cluster.WriteBlock(i, (ulong)i)).ToList();
        cluster.World.RunFor(QuietMs);
        Assert.Equal([1UL, 2UL, 3UL, 4UL], a.Writes);
        Assert.Equal(a.Writes, b.Writes);

        // The full table makes the coordinator flush by itself; D alone frees nothing.
        cluster.World.RunUntil(() => b.Durable == Tag.Of(1, 4) && b.Of(Command.Retire).Exists(f => f.Header.Watermark == b.Durable.Value));
        cluster.World.RunFor(QuietMs);
        Assert.Equal(4, b.Writes.Count);

        // R that is stored does.
        b.Obey(b.Of(Command.Retire)[^1]);
        cluster.World.RunFor(QuietMs);
        Assert.Equal([1UL, 2UL, 3UL, 4UL, 5UL, 6UL], b.Writes);
        writes.ForEach(w => Assert.Equal(VolumeError.None, cluster.Await(w).Error));
    }

    [Fact]
    public void D6_full_tables_and_a_full_replay_buffer_are_neither_an_error_nor_a_deadlock()
    {
        var cluster = SimCluster.Started(new SimWorld(1), options: o => o with { ReplayBufferMax = 2L << 20, BackgroundFlushMs = 3_600_000, BackgroundFlushBytes = long.MaxValue });
        var capacity = cluster.Board(0).Describe().CapacityEntries;
        var most = 0;
        var writes = new List<SimRequest>();
        for (var i = 0; i < capacity * 3; i++)
        {
            writes.Add(cluster.WriteBlock(i % 1000, (ulong)i + 1));
        }

        var large = Enumerable.Range(0, 24).Select(i => cluster.WriteBlock(64 * (i % 16), (ulong)i + 1, count: 64)).ToList();
        foreach (var write in writes.Concat(large))
        {
            Assert.Equal(VolumeError.None, cluster.Await(write).Error);
            most = Math.Max(most, cluster.Board(0).Table!.Table.Count);
            Assert.True(most <= capacity);
        }

        Assert.True(most > capacity / 2, $"The table held at most {most} of {capacity} entries: this was no test.");
        Assert.DoesNotContain(cluster.World.Log, line => line.Contains("table is full", StringComparison.Ordinal));
        cluster.AssertMirrorsEqual();
    }

    [Fact]
    public void D6_the_replay_buffer_keeps_to_its_bound()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1), options: o => o with { ReplayBufferMax = 1L << 20 });
        var (a, b) = ScriptedMirror.Hold(cluster, Command.Flush);
        for (var i = 0; i < 6; i++)
        {
            cluster.WriteBlock(i * 64, (ulong)i + 1, count: 64);
        }

        cluster.World.RunUntil(() => a.Of(Command.Flush).Count == 1 && b.Of(Command.Flush).Count == 1);
        cluster.World.RunFor(QuietMs);
        Assert.Equal([1UL, 2UL, 3UL, 4UL], a.Writes);
        b.Held.Clear();
        a.Held.Clear();
        a.Obey(a.Of(Command.Flush)[0]);
        b.Obey(b.Of(Command.Flush)[0]);
        cluster.World.RunUntil(() => a.Writes.Count == 6 && b.Writes.Count == 6);
    }

    [Fact]
    public void D6_the_coordinator_flushes_and_retires_in_the_background()
    {
        var cluster = SimCluster.Started(new SimWorld(1));
        cluster.Await(cluster.WriteBlock(3, 1));
        cluster.World.RunFor(1000);
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(0, cluster.Boards[i].Disk.UnsyncedSectors);
            Assert.Equal(Tag.Of(1, 1), cluster.Board(i).Table!.Durable);
            Assert.Equal(Tag.Of(1, 1), cluster.Board(i).Table!.Retired);
            Assert.Equal(0, cluster.Board(i).Table!.Table.Count);
        }

        Assert.Equal(0, cluster.Coordinator.Describe().ReplayBufferWrites);
    }

    [Fact]
    public void D6_entries_of_older_sessions_take_room_until_the_reconciliation_has_ended()
    {
        var cluster = SimCluster.Started(new SimWorld(1));
        var capacity = cluster.Board(0).Describe().CapacityEntries;
        for (var i = 0; i < capacity; i++)
        {
            cluster.WriteBlock(i % 1000, (ulong)i + 1);
        }

        cluster.World.RunUntil(() => cluster.Board(0).Table!.Table.Count > capacity / 5);
        cluster.Host.PowerCut();
        cluster.World.RunFor(QuietMs);
        cluster.Host.Start();
        cluster.World.RunUntil(() => cluster.Coordinator.SizeBytes > 0);
        Assert.NotEqual(CoordinatorPhase.Serving, cluster.Coordinator.Phase);
        var writes = Enumerable.Range(0, capacity * 2).Select(i => cluster.WriteBlock(i % 1000, (ulong)i + 1)).ToList();
        writes.ForEach(w => Assert.Equal(VolumeError.None, cluster.Await(w).Error));
        Assert.DoesNotContain(cluster.World.Log, line => line.Contains("table is full", StringComparison.Ordinal));
    }
}
