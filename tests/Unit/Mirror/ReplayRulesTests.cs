using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>The rules of a board that restarts while the coordinator lives, B1 to B4. See docs/protocol.md.</summary>
public sealed class ReplayRulesTests
{
    private const int QuietMs = 50;

    [Fact]
    public void B1_what_the_old_connection_brought_is_applied_before_an_attach_is_answered()
    {
        var cluster = ScriptedMirror.OneBoard();
        var old = ScriptedCoordinator.Attached(cluster);
        var disk = cluster.Boards[0].Disk;
        disk.Faults.IsHanging = true;
        old.Write(1, 3);
        cluster.World.RunUntil(() => cluster.Board(0).Table!.Table is { Count: 1 } table && table[0].Stored);
        var young = ScriptedCoordinator.Connect(cluster);
        young.Session = 1;
        var attach = young.Send(young.Frame(Command.Attach), new WireWriter().U64(1).Written.ToArray());
        cluster.World.RunFor(QuietMs);
        Assert.NotNull(old.Closed);
        Assert.Null(young.Answer(attach));
        disk.Faults.IsHanging = false;
        var answer = young.Await(attach);
        Assert.Equal(ScriptedCoordinator.Content(1), cluster.PeekBlocks(0, 3));
        var entry = Assert.Single(TableOf(answer).Entries);
        Assert.Equal((Tag.Of(1, 1), true), (entry.Tag, entry.Sure));
    }

    [Fact]
    public void B1_what_was_unread_on_the_old_connection_is_dropped()
    {
        var cluster = ScriptedMirror.OneBoard();
        var old = ScriptedCoordinator.Attached(cluster);
        var young = ScriptedCoordinator.Connect(cluster);
        cluster.World.Fabric.Block(old.Host, "pi-a");
        old.Write(1, 3);
        young.Attach(1, 1);
        cluster.World.Fabric.HealAll();
        cluster.World.RunFor(500);
        Assert.Equal(0, cluster.Board(0).Table!.Table.Count);
        Assert.Equal(new byte[SimCluster.BlockBytes], cluster.PeekBlocks(0, 3));
    }

    [Fact]
    public void B1_an_attach_names_everything_and_a_boot_id_belongs_to_one_start_counter()
    {
        var cluster = ScriptedMirror.OneBoard();
        var seen = new HashSet<ulong>();
        ulong counter = 0;
        for (var life = 0; life < 5; life++)
        {
            var script = life == 0 ? ScriptedCoordinator.Attached(cluster) : ScriptedMirror.Restarted(cluster);
            script.Ask(script.Frame(Command.ReplayDone));
            var tag = (ulong)(life * 2) + 1;
            script.Await(script.Write(tag, life));
            script.Flush(tag);
            script.Await(script.Write(tag + 1, life));
            var answer = script.Attach(1, 1);
            var state = BoardState.Read(new WireReader(answer.Body))!;
            Assert.True(seen.Add(state.BootId));
            Assert.True(state.StartCounter > counter);
            counter = state.StartCounter;
            Assert.Equal((Tag.Of(1, tag), 1U), (state.Durable, state.Session.Number));
            var entries = TableOf(answer).Entries;
            Assert.Equal(Enumerable.Range(1, (int)tag + 1).Select(s => Tag.Of(1, (ulong)s)), entries.Select(e => e.Tag));
            Assert.All(entries, e => Assert.True(e.Sure || e.Tag > Tag.Of(1, tag)));
        }
    }

    [Fact]
    public void B2_replies_above_D_are_forgotten_and_sent_again_in_order_before_anything_new()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        for (ulong i = 1; i <= 5; i++)
        {
            cluster.Await(cluster.WriteBlock((long)i, i));
            if (i == 2)
            {
                cluster.Await(cluster.Flush());
            }
        }

        var b = cluster.Scripted(1);
        b.Received.Clear();
        b.Held.UnionWith([Command.Attach, Command.Write]);
        b.Restart();
        cluster.World.RunUntil(() => b.Of(Command.Attach).Count == 1);

        // A new write while the attach is open: it comes behind the replay.
        var fresh = cluster.WriteBlock(6, 6);
        cluster.World.RunFor(QuietMs);
        Assert.Empty(b.Writes);
        b.Obey(b.Received[^1]);
        cluster.World.RunFor(QuietMs);
        Assert.Equal([3UL, 4UL, 5UL, 6UL], b.Writes);
        Assert.All(b.Of(Command.Write), f => Assert.True((f.Header.Flags & FrameFlags.Resent) != 0 && f.Header.BootId == b.BootId));
        Assert.Equal(SimApplication.Pattern(3, SimCluster.BlockBytes), b.Of(Command.Write)[0].Body);
        Assert.False(fresh.IsDone);
        Assert.Equal([1UL, 2UL, 3UL, 4UL, 5UL, 6UL], cluster.Scripted(0).Writes);
        b.Of(Command.Write).ForEach(b.Obey);
        Assert.Equal(VolumeError.None, cluster.Await(fresh).Error);
    }

    [Fact]
    public void B2_a_new_write_does_not_overtake_a_replay_that_its_connection_cannot_take_at_once()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        for (ulong i = 1; i <= 72; i++)
        {
            cluster.Await(cluster.WriteBlock(64 * (long)(i % 16), i, count: 64));
        }

        var b = cluster.Scripted(1);
        b.Received.Clear();
        b.Restart();
        cluster.World.RunUntil(() => b.Writes.Count > 0);
        var fresh = cluster.WriteBlock(1000, 73);
        Assert.Equal(VolumeError.None, cluster.Await(fresh).Error);
        Assert.Equal(Enumerable.Range(1, 73).Select(i => (ulong)i), b.Writes);
    }

    [Fact]
    public void B2_replies_of_an_earlier_boot_are_void()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        var b = cluster.Scripted(1);
        b.Held.Add(Command.Write);
        var write = cluster.WriteBlock(3, 1);
        cluster.World.RunUntil(() => b.Writes.Count == 1);
        var oldBoot = b.BootId;
        b.Restart();
        cluster.World.RunUntil(() => b.Writes.Count == 2);
        var late = b.Answer(b.Received[^1]);
        late.BootId = oldBoot;
        b.Reply(b.Received[^1], late);
        cluster.World.RunFor(QuietMs);
        Assert.False(write.IsDone);
        b.Obey(b.Received[^1]);
        Assert.Equal(VolumeError.None, cluster.Await(write).Error);
    }

    [Fact]
    public void B2_a_lost_link_without_a_restart_resends_only_what_was_not_replied_to()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        cluster.Await(cluster.WriteBlock(1, 1));
        var b = cluster.Scripted(1);
        b.Held.Add(Command.Write);
        var write = cluster.WriteBlock(2, 2);
        cluster.World.RunUntil(() => b.Writes.Count == 2);
        b.Held.Clear();
        b.Disconnect();
        Assert.Equal(VolumeError.None, cluster.Await(write).Error);
        Assert.Equal([1UL, 2UL, 2UL], b.Writes);
    }

    [Fact]
    public void B3_the_tag_in_the_table_does_not_count_as_having_the_data()
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        script.Await(script.Write(1, 3));
        script = ScriptedMirror.Restarted(cluster);
        Poke(cluster, 3, new byte[SimCluster.BlockBytes]);
        Assert.False(cluster.Board(0).Table!.Table[0].Sure);
        Assert.Equal(WireStatus.Ok, script.Await(script.Write(1, 3, flags: FrameFlags.Resent)).Header.Status);
        Assert.Equal(ScriptedCoordinator.Content(1), cluster.PeekBlocks(0, 3));
        Assert.True(cluster.Board(0).Table!.Table[0].Sure);

        // Now it is sure: answered without writing.
        var before = cluster.Boards[0].Disk.OperationCount;
        Assert.Equal(WireStatus.Ok, script.Await(script.Write(1, 3, flags: FrameFlags.Resent)).Header.Status);
        Assert.Equal(before, cluster.Boards[0].Disk.OperationCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void B3_an_older_write_never_lands_on_a_newer_one_sure_or_not(bool newerIsSure)
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        script.Await(script.Write(1, 3, count: 3));
        script.Await(script.Write(2, 4));
        script = ScriptedMirror.Restarted(cluster);
        if (newerIsSure)
        {
            script.Await(script.Write(2, 4, flags: FrameFlags.Resent));
        }

        Poke(cluster, 3, new byte[3 * SimCluster.BlockBytes]);
        Poke(cluster, 4, ScriptedCoordinator.Content(2));
        Assert.Equal(newerIsSure, cluster.Board(0).Table!.Table[1].Sure);
        Assert.Equal(WireStatus.Ok, script.Await(script.Write(1, 3, count: 3, flags: FrameFlags.Resent)).Header.Status);
        var expected = ScriptedCoordinator.Content(1, 3);
        ScriptedCoordinator.Content(2).CopyTo(expected, SimCluster.BlockBytes);
        Assert.Equal(expected, cluster.PeekBlocks(0, 3, 3));
    }

    [Fact]
    public void B4_a_board_refuses_reads_copies_and_flushes_until_the_replay_of_this_boot_is_complete()
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        var oldBoot = script.BootId;
        script.Await(script.Write(1, 3));
        script = ScriptedMirror.Restarted(cluster);
        var peer = ScriptedCoordinator.Connect(cluster, role: HelloRole.Peer);
        peer.Session = 1;
        Refuses(WireStatus.NotNow);

        // Only the word of a coordinator that means this boot counts.
        var newBoot = script.BootId;
        script.BootId = oldBoot;
        Assert.Equal(WireStatus.WrongBoot, script.Ask(script.Frame(Command.ReplayDone)).Header.Status);
        script.BootId = newBoot;
        Refuses(WireStatus.NotNow);
        Assert.Equal(Tag.None, cluster.Board(0).Table!.Durable);

        script.Await(script.Write(1, 3, flags: FrameFlags.Resent));
        Assert.Equal(WireStatus.Ok, script.Ask(script.Frame(Command.ReplayDone)).Header.Status);
        Refuses(WireStatus.Ok);
        Assert.Equal(Tag.Of(1, 1), cluster.Board(0).Table!.Durable);

        // A copy command that means the earlier boot of its source.
        peer.BootId = oldBoot;
        Assert.Equal(WireStatus.WrongBoot, CopyRead().Header.Status);

        void Refuses(WireStatus status)
        {
            Assert.Equal(status, script.Read(3).Header.Status);
            Assert.Equal(status, script.Flush(1).Header.Status);
            Assert.Equal(status, CopyRead().Header.Status);
            var hash = script.Frame(Command.Hash);
            hash.Address = 3;
            hash.Count = 1;
            Assert.Equal(status, script.Ask(hash).Header.Status);
        }

        ScriptedFrame CopyRead()
        {
            var read = peer.Frame(Command.CopyRead);
            read.Address = 3;
            read.Count = 1;
            return peer.Ask(read);
        }
    }

    [Fact]
    public void B4_a_coordinator_neither_reads_nor_flushes_a_member_in_replay()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        cluster.Await(cluster.WriteBlock(1, 1));
        cluster.Await(cluster.WriteBlock(2, 2));
        var b = cluster.Scripted(1);
        b.Received.Clear();
        b.Held.UnionWith([Command.Write, Command.ReplayDone]);
        b.Restart();
        cluster.World.RunUntil(() => b.Writes.Count == 2);
        b.Obey(b.Of(Command.Write)[0]);
        var flush = cluster.Flush();
        ReadFromOthers();
        Assert.Empty(b.Of(Command.ReplayDone));
        b.Obey(b.Of(Command.Write)[1]);
        cluster.World.RunUntil(() => b.Of(Command.ReplayDone).Count == 1);
        Assert.Equal(b.BootId, b.Received[^1].Header.BootId);
        ReadFromOthers();
        b.Obey(b.Of(Command.ReplayDone)[0]);
        Assert.Equal(VolumeError.None, cluster.Await(flush).Error);
        cluster.Await(cluster.ReadBlock(1));
        cluster.Await(cluster.ReadBlock(1));
        Assert.NotEmpty(b.Of(Command.Read));

        void ReadFromOthers()
        {
            for (var i = 0; i < 4; i++)
            {
                cluster.Await(cluster.ReadBlock(1));
            }

            cluster.World.RunFor(QuietMs);
            Assert.Empty(b.Of(Command.Read));
            Assert.Empty(b.Of(Command.Flush));
            Assert.False(flush.IsDone);
        }
    }

    [Fact]
    public void B4_a_read_asked_before_the_restart_is_answered_by_another_member()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        cluster.Await(cluster.WriteBlock(1, 1));
        var (a, b) = ScriptedMirror.Hold(cluster, Command.Read);
        var reads = Enumerable.Range(0, 2).Select(_ => cluster.ReadBlock(1)).ToList();
        cluster.World.RunUntil(() => a.Of(Command.Read).Count == 1 && b.Of(Command.Read).Count == 1);
        b.Restart();
        cluster.World.RunUntil(() => a.Of(Command.Read).Count == 2);
        a.Of(Command.Read).ForEach(a.Obey);
        reads.ForEach(r => Assert.Equal(VolumeError.None, cluster.Await(r).Error));
    }

    [Fact]
    public void B2_B3_B4_boards_lose_their_power_again_and_again_and_no_read_is_stale()
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            var cluster = SimCluster.Started(new SimWorld(seed));
            var versions = new ulong[4];
            for (ulong version = 1; version <= 60; version++)
            {
                var block = (long)(version * 7 % 4);
                Assert.Equal(VolumeError.None, cluster.Await(cluster.WriteBlock(block, version)).Error);
                versions[block] = version;
                if (version % 10 == 5)
                {
                    var victim = cluster.Boards[(int)(version / 10 % 2)];
                    victim.PowerCut();
                    cluster.World.RunFor((long)(seed % 3) * 40);
                    victim.Start();
                }

                var data = cluster.Await(cluster.ReadBlock(block)).Data;
                Assert.Equal(versions[block], BitConverter.ToUInt64(data) >> 20);
            }

            cluster.RunUntilInSync();
            cluster.AssertMirrorsEqual();
        }
    }

    private static TableReport TableOf(ScriptedFrame answer)
    {
        var reader = new WireReader(answer.Body);
        Assert.NotNull(BoardState.Read(reader));
        return TableReport.Read(reader)!;
    }

    private static void Poke(SimCluster cluster, long block, byte[] bytes) =>
        cluster.Boards[0].Disk.Poke(cluster.DataOffset + (block * SimCluster.BlockBytes), bytes);
}
