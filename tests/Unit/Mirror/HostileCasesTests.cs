using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>Histories that a hostile reader thought of: each of them once lost data, hung, or ended a board.</summary>
public sealed class HostileCasesTests
{
    [Fact]
    public void R5_a_flush_during_the_recovery_waits_until_what_an_older_session_acknowledged_is_durable()
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            var cluster = SimCluster.Started(new SimWorld(seed));
            Assert.Equal(VolumeError.None, cluster.Await(cluster.WriteBlock(1, 7)).Error);
            cluster.Host.PowerCut();
            cluster.Boards.ForEach(b => b.Disk.Faults.IsHanging = true);
            cluster.Host.Start();
            cluster.World.RunUntil(() => cluster.Coordinator.Phase == CoordinatorPhase.Recovering);
            var flush = cluster.Flush();
            cluster.World.RunFor(500);
            Assert.False(flush.IsDone);

            cluster.Boards.ForEach(b => b.Disk.Faults.IsHanging = false);
            Assert.Equal(VolumeError.None, cluster.Await(flush).Error);
            cluster.Boards.ForEach(b => b.PowerCut());
            cluster.Host.PowerCut();
            cluster.Boards.ForEach(b => b.Start());
            cluster.Host.Start();
            cluster.RunUntilInSync();
            Assert.Equal(SimApplication.Pattern(7, SimCluster.BlockBytes), cluster.Await(cluster.ReadBlock(1)).Data);
        }
    }

    [Fact]
    public void R2_a_block_that_nobody_could_read_for_a_while_is_the_same_on_all_afterwards()
    {
        var cluster = SimCluster.Started(new SimWorld(1));
        Assert.Equal(VolumeError.None, cluster.Await(cluster.WriteBlock(1, 7)).Error);
        Assert.Equal(VolumeError.None, cluster.Await(cluster.Flush()).Error);
        cluster.World.Fabric.Block("host", "pi-b");
        _ = cluster.WriteBlock(1, 8);
        cluster.World.RunFor(50);
        cluster.Host.PowerCut();
        cluster.World.Fabric.HealAll();
        cluster.Boards.ForEach(b => FailReadsOfBlock(cluster, b, 1));
        cluster.Host.Start();
        cluster.RunUntilInSync();
        Assert.Equal(VolumeError.Io, cluster.Await(cluster.ReadBlock(1)).Error);

        // Still unreadable in the session after: bad, and still known.
        cluster.Host.PowerCut();
        cluster.Host.Start();
        cluster.RunUntilInSync();
        Assert.Equal(VolumeError.Io, cluster.Await(cluster.ReadBlock(1)).Error);

        cluster.Boards.ForEach(b => b.Disk.Faults.Judge = null);
        cluster.Host.PowerCut();
        cluster.Host.Start();
        cluster.RunUntilInSync();
        Assert.Equal(VolumeError.None, cluster.Await(cluster.ReadBlock(1)).Error);
        cluster.AssertMirrorsEqual();
        Assert.All(new[] { 0, 1 }, b => Assert.Empty(cluster.Board(b).Table!.Marks));
    }

    [Fact]
    public void R3_a_block_that_reads_now_and_then_is_copied_whatever_its_hash()
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            var cluster = SimCluster.Started(new SimWorld(seed));
            Assert.Equal(VolumeError.None, cluster.Await(cluster.WriteBlock(1, 7)).Error);
            var at = cluster.DataOffset + SimCluster.BlockBytes;
            cluster.Host.PowerCut();
            cluster.Boards[0].Disk.Faults.FailSyncs = 1;
            var reads = 0;
            cluster.Boards[0].Disk.Faults.Judge = (op, offset, _) => op == SimDiskOperation.Read && offset == at && ++reads % 2 == 0 ? "bad sector" : null;
            cluster.Host.Start();
            cluster.RunUntilInSync();
            cluster.Boards[0].Disk.Faults.Judge = null;
            cluster.Boards[0].PowerCut();
            cluster.Boards[0].Start();
            cluster.World.RunFor(100);
            cluster.AssertMirrorsEqual();
        }
    }

    [Fact]
    public void A_read_behind_the_write_that_mends_a_bad_block_gets_the_data()
    {
        var cluster = SimCluster.Started(new SimWorld(1));
        Assert.Equal(VolumeError.None, cluster.Await(cluster.WriteBlock(1, 7)).Error);
        cluster.Host.PowerCut();
        cluster.Boards.ForEach(b => FailReadsOfBlock(cluster, b, 1));
        cluster.Boards.ForEach(b => b.PowerCut());
        cluster.Boards.ForEach(b => b.Start());
        cluster.Host.Start();
        cluster.RunUntilInSync();
        Assert.Equal(VolumeError.Io, cluster.Await(cluster.ReadBlock(1)).Error);
        cluster.Boards.ForEach(b => b.Disk.Faults.Judge = null);
        var write = cluster.WriteBlock(1, 8);
        var read = cluster.ReadBlock(1);
        var part = cluster.Write(SimCluster.BlockBytes + 512, new byte[512]);
        Assert.Equal(VolumeError.None, cluster.Await(write).Error);
        Assert.Equal(VolumeError.None, cluster.Await(read).Error);
        Assert.Equal(VolumeError.None, cluster.Await(part).Error);
    }

    [Fact]
    public void A_comparison_ends_where_a_block_cannot_be_read_and_counts_it_as_different()
    {
        var cluster = SimCluster.Started(new SimWorld(1));
        Assert.Equal(VolumeError.None, cluster.Await(cluster.WriteBlock(1, 1)).Error);
        Assert.Equal(VolumeError.None, cluster.Await(cluster.Flush()).Error);
        FailReadsOfBlock(cluster, cluster.Boards[0], 1);
        Task<VerifyResult>? verify = null;
        cluster.Host.Post(() => verify = cluster.Coordinator.VerifyAsync());
        cluster.World.RunUntil(() => verify is { IsCompleted: true }, 120_000);
        var result = Completed(verify!);
        Assert.True(result.Completed);
        Assert.Equal([new(1, 1)], result.Differences);
        Assert.Contains(cluster.World.Log, line => line.Contains("pi-a cannot read block 1", StringComparison.Ordinal));
    }

    [Fact]
    public void Requests_for_the_size_that_one_board_announced_do_not_go_to_boards_that_were_exchanged_for_larger_ones()
    {
        var size = 4L << 20;
        var cluster = new SimCluster(new SimWorld(1), 2, size, makeBoard: (i, context) => new ScriptedBoard(context, i, 2, size));
        cluster.Boards[0].Start();
        cluster.Host.Start();
        cluster.World.RunUntil(() => cluster.Coordinator.SizeBytes == size);
        var write = cluster.WriteBlock(900, 1);
        cluster.Boards[0].PowerCut();
        size *= 2;
        cluster.Boards.ForEach(b => b.Start());
        cluster.World.RunFor(10_000);
        Assert.False(write.IsDone);
        Assert.All(new[] { 0, 1 }, b => Assert.Empty(cluster.Scripted(b).Of(Command.Attach)));
        Assert.Contains(cluster.World.Log, line => line.Contains("start the agent anew", StringComparison.Ordinal));
    }

    [Fact]
    public void A_session_beyond_the_last_number_is_refused()
    {
        const uint Last = 0xFFFFFF;
        const uint Step = 65536;
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Connect(cluster);
        for (var n = Step; n < Last; n += Step)
        {
            Assert.Equal(WireStatus.Ok, script.Attach(n, 1).Header.Status);
        }

        Assert.Equal(WireStatus.Ok, script.Attach(Last, 1).Header.Status);
        Assert.Equal(WireStatus.Invalid, script.Attach(Last + 1, 1).Header.Status);
        cluster.Boards[0].PowerCut();
        cluster.Boards[0].Start();
        cluster.World.RunFor(100);
        Assert.Equal(BoardCondition.Member, cluster.Board(0).Describe().Condition);
    }

    [Fact]
    public void A_creation_after_one_that_the_chip_failed_is_refused_and_ends_no_board()
    {
        var cluster = new SimCluster(new SimWorld(1), boards: 1);
        cluster.Boards[0].Start();
        cluster.World.RunFor(100);
        cluster.Boards[0].Nvm.Judge = (isWrite, _, length) => isWrite && length < 100 ? "no answer" : null;
        var writer = new WireWriter();
        new CreateRequest
        {
            Volume = SimCluster.Volume,
            Name = SimCluster.VolumeName,
            Member = 0,
            BlockBytes = SimCluster.BlockBytes,
            SizeBytes = cluster.SizeBytes,
            View = View.First(SessionId.None, 42, MemberSet.Range(1), cluster.SizeBytes),
        }.WriteTo(writer);
        var body = writer.Written.ToArray();
        var creator = ScriptedCoordinator.Connect(cluster, role: HelloRole.Creator);
        Assert.NotEqual(WireStatus.Ok, creator.Ask(new FrameHeader { Command = Command.Create }, body).Header.Status);

        cluster.Boards[0].Nvm.Judge = null;
        creator = ScriptedCoordinator.Connect(cluster, role: HelloRole.Creator);
        Assert.NotEqual(WireStatus.Ok, creator.Ask(new FrameHeader { Command = Command.Create }, body).Header.Status);
        Assert.True(cluster.Boards[0].IsRunning);

        // A restart finds what the chip holds, and the creation goes on.
        cluster.Boards[0].PowerCut();
        cluster.Boards[0].Start();
        cluster.World.RunFor(100);
        creator = ScriptedCoordinator.Connect(cluster, role: HelloRole.Creator);
        Assert.Equal(WireStatus.Ok, creator.Ask(new FrameHeader { Command = Command.Create }, body).Header.Status);
    }

    [Fact]
    public void A_board_whose_chip_failed_says_so_also_after_a_failed_sync()
    {
        var cluster = SimCluster.Started(new SimWorld(1));
        Assert.Equal(VolumeError.None, cluster.Await(cluster.WriteBlock(1, 1)).Error);
        var disk = cluster.Boards[0].Disk;
        disk.Faults.FailSyncs = 1;
        disk.Faults.IsHanging = true;
        _ = cluster.Flush();
        cluster.World.RunFor(20);
        cluster.Boards[0].Nvm.Judge = (_, _, _) => "no answer";
        _ = cluster.WriteBlock(2, 1);
        cluster.World.RunUntil(() => cluster.Board(0).Describe().Condition == BoardCondition.Failed);
        disk.Faults.IsHanging = false;
        cluster.World.RunFor(5000);
        Assert.True(ScriptedCoordinator.Connect(cluster, role: HelloRole.Status).IsProven);
    }

    [Fact]
    public void A_stranger_that_pings_and_does_not_read_makes_a_board_queue_nothing()
    {
        const int Pings = 20_000;
        var cluster = ScriptedMirror.OneBoard();
        var stranger = new Stranger();
        var node = new SimNode(cluster.World, "stranger", context => context);
        node.Start();
        IConnection? connection = null;
        node.Post(() => connection = ((SimNodeContext)node.Instance!).Network.Connect(cluster.Options.Boards[0].Address, stranger, 1000));
        cluster.World.RunUntil(() => stranger.IsConnected);
        node.Post(() => connection!.SetReceiving(false));
        for (var i = 0; i < Pings; i += 1000)
        {
            node.Post(() =>
            {
                for (var n = 0; n < 1000; n++)
                {
                    var ping = new FrameHeader { Command = Command.Ping };
                    connection!.SendFrame(ref ping);
                }
            });
            cluster.World.RunFor(20);
        }

        node.Post(() => connection!.SetReceiving(true));
        cluster.World.RunFor(1000);
        Assert.True(stranger.Bytes < 1000, $"The board answered {stranger.Bytes} bytes to a caller without the secret.");
    }

    private static void FailReadsOfBlock(SimCluster cluster, SimNode board, long block)
    {
        var at = cluster.DataOffset + (block * SimCluster.BlockBytes);
        board.Disk.Faults.Judge = (op, offset, length) => op == SimDiskOperation.Read && offset <= at && at < offset + length ? "bad sector" : null;
    }

    private static T Completed<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private sealed class Stranger : IConnectionHandler
    {
        public bool IsConnected { get; private set; }

        public long Bytes { get; private set; }

        public void Connected(IConnection connection) => IsConnected = true;

        public void Received(IConnection connection, Slice slice) => Bytes += slice.Length;

        public void Drained(IConnection connection)
        {
        }

        public void Closed(IConnection connection, string reason)
        {
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void R2_blocks_that_nobody_can_read_are_marked_before_D_makes_their_entries_sure(bool onAll)
    {
        var rig = RecoveryRig.Started();
        rig.Cluster.Await(rig.Cluster.WriteBlock(4, 39));
        rig.Settle();
        rig.WriteThatFailsOn(1, 4, 40);
        rig.Cluster.Boards.ForEach(b => b.Disk.Faults.Spoiled.Add((rig.Cluster.DataOffset + (4 * 4096), 4096)));
        rig.Tap.Holds = f => f.Header.Command == Command.Finish && (onAll || f.To == rig.NameOf(1));
        rig.Cluster.Host.Start();
        rig.World.RunUntil(() => rig.Tap.IsHolding);
        rig.World.RunFor(500);
        rig.Cluster.Host.PowerCut();
        rig.World.RunFor(100);
        rig.Tap.Release();

        // All of it reads again: both hold something else there, and nobody but the marks tells.
        Assert.NotEqual(rig.Cluster.PeekBlocks(0, 4), rig.Cluster.PeekBlocks(1, 4));
        rig.Cluster.Boards.ForEach(b => b.Disk.Faults.Spoiled.Clear());
        rig.RestartHost();
        rig.Cluster.RunUntilInSync();
        rig.Settle();
        rig.Cluster.AssertMirrorsEqual();
    }

    [Theory]
    [InlineData(Command.Hash, false)]
    [InlineData(Command.WriteBack, false)]
    [InlineData(Command.Sync, false)]
    [InlineData(Command.Sync, true)]
    public void R5_a_page_that_a_failed_sync_left_clean_may_be_dropped_at_any_moment(Command moment, bool overAHole)
    {
        var rig = RecoveryRig.Started();
        rig.Cluster.Boards.ForEach(b => b.Disk.HasHoles = true);
        if (!overAHole)
        {
            rig.Cluster.Await(rig.Cluster.WriteBlock(4, 39));
            rig.Settle();
        }

        rig.Cluster.Await(rig.Cluster.WriteBlock(4, 40));
        var disk = rig.Cluster.Boards[1].Disk;
        disk.Faults.FailSyncs = 1;
        rig.World.CutMedia = SimCutMedia.Lost;
        rig.Cluster.Flush();
        rig.World.RunUntil(() => disk.Faults.FailSyncs == 0);
        rig.Cluster.Host.PowerCut();
        rig.Tap.Holds = f => f.Is(moment, rig.NameOf(1));
        rig.RestartHost();
        rig.World.RunUntil(() => rig.Tap.IsHolding);
        disk.DropCleanPages();
        rig.Tap.Release();
        rig.Cluster.RunUntilInSync();
        rig.Cluster.AssertMirrorsEqual();
        rig.Cluster.Host.PowerCut();
        rig.RestartAllBoards();
        Assert.Equal(RecoveryRig.Block(40), rig.Cluster.PeekBlocks(1, 4));
    }

    [Fact]
    public void R2_disks_that_were_away_for_a_moment_leave_no_block_behind_that_gives_errors()
    {
        var rig = RecoveryRig.Started();
        rig.Cluster.Await(rig.Cluster.WriteBlock(5, 50, fua: true));
        rig.WriteThatFailsOn(1, 5, 51);
        rig.Cluster.Boards.ForEach(b => b.Disk.Faults.IsAway = true);
        rig.Cluster.Host.Start();
        rig.World.RunFor(1000);
        rig.Cluster.Boards.ForEach(b => b.Disk.Faults.IsAway = false);
        rig.Cluster.RunUntilInSync();

        var read = rig.Cluster.Await(rig.Cluster.ReadBlock(5));
        Assert.Equal(VolumeError.None, read.Error);
        Assert.Equal(RecoveryRig.Block(51), read.Data);
        Assert.Empty(rig.Coordinator.Describe().BadRanges);
        rig.Cluster.AssertMirrorsEqual();
    }
}
