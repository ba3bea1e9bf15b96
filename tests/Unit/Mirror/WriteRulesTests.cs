using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>The rules of a write, W1 to W6, and the resending of W7. See docs/protocol.md.</summary>
public sealed class WriteRulesTests
{
    private const int QuietMs = 50;

    [Fact]
    public void W1_overlapping_writes_are_never_in_flight_together()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        var (a, b) = Hold(cluster, Command.Write);
        cluster.WriteBlock(3, 1, count: 2);
        cluster.Write(4 * SimCluster.BlockBytes, SimApplication.Pattern(2, SimCluster.BlockBytes), generator: 2);
        cluster.World.RunFor(QuietMs);
        Assert.Equal([1UL], a.Writes);
        a.Obey(a.Received[^1]);
        cluster.World.RunFor(QuietMs);
        Assert.Equal([1UL], a.Writes);
        b.Obey(b.Received[^1]);
        cluster.World.RunFor(QuietMs);
        Assert.Equal([1UL, 2UL], a.Writes);
        Assert.Equal([1UL, 2UL], b.Writes);
    }

    [Fact]
    public void W1_who_waits_for_a_range_goes_before_later_ones_that_overlap()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        var (a, b) = Hold(cluster, Command.Write);
        cluster.WriteBlock(0, 1, count: 2);
        cluster.WriteBlock(1, 2, count: 2);
        cluster.WriteBlock(2, 3, count: 2);
        cluster.World.RunFor(QuietMs);
        Assert.Equal([1UL], a.Writes);
        a.Obey(a.Received[^1]);
        b.Obey(b.Received[^1]);
        cluster.World.RunFor(QuietMs);
        Assert.Equal([0L, 1L], a.Of(Command.Write).ConvertAll(f => f.Header.Address));
    }

    [Fact]
    public void W1_a_read_waits_for_the_writes_in_flight_and_holds_nothing_afterwards()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        var (a, b) = Hold(cluster, Command.Write, Command.Read);
        cluster.WriteBlock(3, 1);
        var read = cluster.ReadBlock(3);
        cluster.World.RunFor(QuietMs);
        Assert.Empty(a.Of(Command.Read).Concat(b.Of(Command.Read)));
        a.Obey(a.Received[^1]);
        b.Obey(b.Received[^1]);
        cluster.World.RunFor(QuietMs);
        Assert.Single(a.Of(Command.Read).Concat(b.Of(Command.Read)));
        Assert.False(read.IsDone);

        // The read is on its way; a write to its block does not wait for it.
        cluster.WriteBlock(3, 2);
        cluster.World.RunFor(QuietMs);
        Assert.Equal([1UL, 2UL], a.Writes);
    }

    [Fact]
    public void W1_writes_of_parts_of_one_block_do_not_lose_each_other()
    {
        var cluster = SimCluster.Started(new SimWorld(1));
        var requests = Enumerable.Range(0, 8).Select(i => cluster.Write((i * 100) + 7, [(byte)(i + 1)], generator: i)).ToList();
        requests.ForEach(r => Assert.Equal(VolumeError.None, cluster.Await(r).Error));
        var block = cluster.PeekBlocks(0, 0);
        Assert.Equal(Enumerable.Range(1, 8), Enumerable.Range(0, 8).Select(i => (int)block[(i * 100) + 7]));
        cluster.AssertMirrorsEqual();
    }

    [Fact]
    public void W2_every_member_gets_the_same_tags_in_the_same_order()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1), boards: 3);
        for (var i = 0; i < 20; i++)
        {
            cluster.Write(i * SimCluster.BlockBytes, SimApplication.Pattern((ulong)i, SimCluster.BlockBytes), generator: i % 3);
        }

        cluster.World.RunFor(QuietMs);
        var first = cluster.Scripted(0).Of(Command.Write).ConvertAll(f => (f.Header.Tag, f.Header.Address, f.Header.Generator));
        Assert.Equal(20, first.Count);
        for (var i = 1; i < 3; i++)
        {
            Assert.Equal(first, cluster.Scripted(i).Of(Command.Write).ConvertAll(f => (f.Header.Tag, f.Header.Address, f.Header.Generator)));
        }
    }

    [Fact]
    public void W3_a_board_refuses_an_older_session_and_one_that_it_has_not_stored()
    {
        var cluster = OneBoard();
        var old = ScriptedCoordinator.Attached(cluster, session: 5);
        var young = ScriptedCoordinator.Attached(cluster, session: 6);
        foreach (var (session, status) in new[] { (5U, WireStatus.Fenced), (7U, WireStatus.Invalid) })
        {
            young.Session = session;
            Assert.Equal(status, young.Await(young.Write(1, 3)).Header.Status);
            Assert.Equal(status, young.Flush(1).Header.Status);
            Assert.Equal(status, young.Read(3).Header.Status);
        }

        Assert.NotNull(old.Closed);
        Assert.Equal(0, cluster.Board(0).Table!.Table.Count);
        Assert.Equal(new byte[SimCluster.BlockBytes], cluster.PeekBlocks(0, 3));
    }

    [Fact]
    public void W3_a_fenced_coordinator_answers_with_errors()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        var (a, _) = Hold(cluster, Command.Write);
        var write = cluster.WriteBlock(3, 1);
        cluster.World.RunUntil(() => a.Writes.Count == 1);
        var fenced = a.Answer(a.Received[^1], WireStatus.Fenced);
        fenced.Watermark = 99;
        a.Reply(a.Received[^1], fenced);
        Assert.Equal(VolumeError.Shutdown, cluster.Await(write).Error);
        Assert.Equal(VolumeError.Shutdown, cluster.Await(cluster.ReadBlock(3)).Error);
        Assert.Contains("99", cluster.Coordinator.FencedReason, StringComparison.Ordinal);
    }

    [Fact]
    public void W4_the_entry_is_stored_before_a_byte_goes_to_the_disk()
    {
        var cluster = OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        var (disk, chip) = (cluster.Boards[0].Disk, cluster.Boards[0].Nvm);
        var before = disk.OperationCount;
        chip.IsStuck = true;
        var write = script.Write(1, 3);
        cluster.World.RunFor(QuietMs);
        Assert.Equal(before, disk.OperationCount);
        chip.IsStuck = false;
        Assert.Equal(WireStatus.Ok, script.Await(write).Header.Status);
        Assert.Equal(ScriptedCoordinator.Content(1), cluster.PeekBlocks(0, 3));
    }

    [Fact]
    public void W4_entries_that_arrive_together_share_one_transaction()
    {
        var world = new SimWorld(1, new SimOptions { NetCutsMax = 0, NetByteByByteOneIn = int.MaxValue, NetDelayMaxMicros = 20 });
        var cluster = OneBoard(world);
        var script = ScriptedCoordinator.Attached(cluster);
        var before = cluster.Board(0).Describe().NvmCommits;
        var writes = Enumerable.Range(1, 10).Select(i => script.Write((ulong)i, i)).ToList();
        writes.ForEach(w => Assert.Equal(WireStatus.Ok, script.Await(w).Header.Status));
        Assert.Equal(before + 1, cluster.Board(0).Describe().NvmCommits);
    }

    [Fact]
    public void W4_overlapping_data_reaches_the_disk_in_tag_order_and_no_read_is_torn()
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            var cluster = OneBoard(new SimWorld(seed));
            var script = ScriptedCoordinator.Attached(cluster);
            var reads = new List<ulong>();
            var writes = new List<ulong>();
            for (ulong tag = 1; tag <= 20; tag++)
            {
                writes.Add(script.Write(tag, (long)(tag % 3), count: 2));
                var read = script.Frame(Command.Read);
                read.Address = (long)(tag % 3);
                read.Count = 1;
                reads.Add(script.Send(read));
                cluster.World.RunFor((long)(seed % 2));
            }

            writes.ForEach(w => Assert.Equal(WireStatus.Ok, script.Await(w).Header.Status));
            foreach (var read in reads)
            {
                var data = script.Await(read).Body;
                var version = BitConverter.ToUInt64(data) >> 20;
                var whole = version == 0 ? new byte[2 * SimCluster.BlockBytes] : ScriptedCoordinator.Content(version, 2);
                Assert.True(data.AsSpan().SequenceEqual(whole.AsSpan(0, data.Length)) || data.AsSpan().SequenceEqual(whole.AsSpan(data.Length)));
            }

            Assert.Equal(0, cluster.Boards[0].Disk.OverlapCount);
            Assert.Equal(ScriptedCoordinator.Content(20, 2), cluster.PeekBlocks(0, 2, 2));
        }
    }

    [Fact]
    public void W5_a_board_replies_when_the_disk_has_the_data()
    {
        var cluster = OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        cluster.Boards[0].Disk.Faults.IsHanging = true;
        var write = script.Write(1, 3);
        cluster.World.RunFor(QuietMs);
        Assert.Null(script.Answer(write));
        Assert.False(cluster.Board(0).Table!.Table[0].Sure);
        cluster.Boards[0].Disk.Faults.IsHanging = false;
        var answer = script.Await(write);
        Assert.Equal((WireStatus.Ok, Tag.Of(1, 1).Value, 1UL, cluster.Board(0).BootId), (answer.Header.Status, answer.Header.Tag, answer.Header.Token, answer.Header.BootId));
        Assert.Equal(ScriptedCoordinator.Content(1), cluster.PeekBlocks(0, 3));
        Assert.True(cluster.Boards[0].Disk.UnsyncedSectors > 0, "A write without FUA does not wait for the medium.");
    }

    [Fact]
    public void W5_a_FUA_write_is_durable_when_it_is_replied_to()
    {
        var cluster = OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        script.Await(script.Write(1, 3, flags: FrameFlags.Fua));
        Assert.Equal(0, cluster.Boards[0].Disk.UnsyncedSectors);
    }

    [Fact]
    public void W5_a_FUA_write_that_is_resent_and_sure_waits_for_a_sync()
    {
        var cluster = OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        script.Await(script.Write(1, 3));
        Assert.True(cluster.Boards[0].Disk.UnsyncedSectors > 0);
        Assert.Equal(WireStatus.Ok, script.Await(script.Write(1, 3, flags: FrameFlags.Fua | FrameFlags.Resent)).Header.Status);
        Assert.Equal(0, cluster.Boards[0].Disk.UnsyncedSectors);
    }

    [Fact]
    public void W5_a_FUA_write_of_which_blocks_are_skipped_waits_for_a_sync()
    {
        var cluster = OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        script.Await(script.Write(1, 3, count: 2));
        script.Await(script.Write(2, 4));
        script = Restarted(cluster);
        Assert.Equal(WireStatus.Ok, script.Await(script.Write(1, 3, count: 2, flags: FrameFlags.Fua | FrameFlags.Resent)).Header.Status);
        Assert.Equal(0, cluster.Boards[0].Disk.UnsyncedSectors);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void W5_a_sync_that_runs_already_answers_neither_FLUSH_nor_FUA(bool fua)
    {
        var cluster = OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        var disk = cluster.Boards[0].Disk;
        script.Await(script.Write(1, 3));
        disk.Faults.ExtraDelayMicros = 20_000;
        var first = script.Send(script.FlushFrame(1));
        cluster.World.RunFor(5);
        disk.Faults.ExtraDelayMicros = 0;
        script.Await(script.Write(2, 4));
        Assert.Null(script.Answer(first));
        var second = fua ? script.Write(2, 4, flags: FrameFlags.Fua | FrameFlags.Resent) : script.Send(script.FlushFrame(2));
        Assert.Equal(WireStatus.Ok, script.Await(second).Header.Status);
        Assert.Equal(0, disk.UnsyncedSectors);
    }

    [Fact]
    public void W6_a_write_is_acknowledged_when_every_member_has_replied()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1), boards: 3);
        for (var i = 0; i < 3; i++)
        {
            cluster.Scripted(i).Held.Add(Command.Write);
        }

        var write = cluster.WriteBlock(3, 1);
        var next = cluster.WriteBlock(3, 2);
        cluster.World.RunFor(QuietMs);
        for (var i = 0; i < 3; i++)
        {
            Assert.False(write.IsDone);
            Assert.Equal([1UL], cluster.Scripted(i).Writes);
            cluster.Scripted(i).Obey(cluster.Scripted(i).Received[^1]);
            cluster.World.RunFor(QuietMs);
        }

        Assert.Equal((true, VolumeError.None), (write.IsDone, write.Error));
        Assert.False(next.IsDone);
        Assert.Equal([1UL, 2UL], cluster.Scripted(0).Writes);
    }

    [Fact]
    public void W7_a_failed_write_is_resent_until_the_disk_takes_it_and_is_held_meanwhile()
    {
        var cluster = SimCluster.Started(new SimWorld(1));
        var b = cluster.Boards[1].Disk.Faults;
        b.Judge = (operation, at, _) => operation == SimDiskOperation.Write && at == cluster.DataOffset + (5 * SimCluster.BlockBytes)
            ? "Writing failed: Input/output error." : null;
        var write = cluster.WriteBlock(5, 1);
        var others = 0;
        for (var second = 0; second < 5; second++)
        {
            // Other writes go on meanwhile and do not make the trouble disappear from the status.
            for (var i = 0; i < 20; i++)
            {
                cluster.World.RunFor(50);
                others += cluster.Await(cluster.WriteBlock(20 + i, 1)).Error == VolumeError.None ? 1 : 0;
                var status = cluster.Coordinator.Describe();
                var member = status.Members[1];
                Assert.Equal(("pi-b", "Failing"), (member.Board, member.Sync));
                Assert.Contains("Input/output error", member.Reason, StringComparison.Ordinal);
                Assert.Contains("pi-b", status.WaitingFor, StringComparison.Ordinal);
            }

            Assert.False(write.IsDone);
        }

        Assert.Equal(100, others);
        Assert.Single(cluster.World.Log, line => line.Contains("failed to write", StringComparison.Ordinal));
        b.Judge = null;
        Assert.Equal(VolumeError.None, cluster.Await(write).Error);
        cluster.RunUntilInSync();
        cluster.AssertMirrorsEqual();
    }

    [Fact]
    public void W7_the_trouble_stays_in_the_status_while_a_failed_write_is_on_its_way_again()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        var b = cluster.Scripted(1);
        b.Held.Add(Command.Write);
        cluster.WriteBlock(3, 1);
        cluster.World.RunUntil(() => b.Writes.Count == 1);
        b.Reply(b.Received[^1], b.Answer(b.Received[^1], WireStatus.DiskFault), new WireWriter().Text("It smokes.").Written.ToArray());
        cluster.World.RunUntil(() => b.Writes.Count == 2);
        var again = b.Received[^1];
        var other = cluster.WriteBlock(4, 2);
        cluster.World.RunUntil(() => b.Writes.Count == 3);
        b.Obey(b.Received[^1]);
        Assert.Equal(VolumeError.None, cluster.Await(other).Error);
        Assert.Equal(("Failing", "It smokes."), (cluster.Coordinator.Describe().Members[1].Sync, cluster.Coordinator.Describe().Members[1].Reason));

        // Another one fails: what is on its way is not sent once more.
        cluster.WriteBlock(5, 3);
        cluster.World.RunUntil(() => b.Writes.Count == 4);
        b.Reply(b.Received[^1], b.Answer(b.Received[^1], WireStatus.DiskFault), new WireWriter().Text("It smokes.").Written.ToArray());
        cluster.World.RunFor(1500);
        Assert.Equal([1UL, 1UL, 2UL, 3UL, 3UL], b.Writes);
        b.Held.Clear();
        b.Obey(again);
        b.Obey(b.Received.FindLast(f => f.Header.Command == Command.Write)!);
        cluster.RunUntilInSync();
    }

    [Fact]
    public void W7_a_write_that_the_disk_did_not_take_is_not_sure()
    {
        var cluster = OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        cluster.Boards[0].Disk.Faults.FailWrites = 1;
        var failed = script.Await(script.Write(1, 3));
        Assert.Equal(WireStatus.DiskFault, failed.Header.Status);
        Assert.Contains("Input/output error", failed.Sentence, StringComparison.Ordinal);
        Assert.False(cluster.Board(0).Table!.Table[0].Sure);
        Assert.Equal(WireStatus.Ok, script.Await(script.Write(1, 3, flags: FrameFlags.Resent)).Header.Status);
        Assert.Equal(ScriptedCoordinator.Content(1), cluster.PeekBlocks(0, 3));
        Assert.True(cluster.Board(0).Table!.Table[0].Sure);
    }

    private static SimCluster OneBoard(SimWorld? world = null) => ScriptedMirror.OneBoard(world);

    private static ScriptedCoordinator Restarted(SimCluster cluster) => ScriptedMirror.Restarted(cluster);

    private static (ScriptedBoard A, ScriptedBoard B) Hold(SimCluster cluster, params Command[] commands) => ScriptedMirror.Hold(cluster, commands);
}
