using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>Cases that a reading of the code against the rules brought up, each once wrong.</summary>
public sealed class ReviewedCasesTests
{
    private static CoordinatorOptions WithoutBackgroundFlush(CoordinatorOptions options) =>
        options with { BackgroundFlushMs = 3_600_000 };

    [Fact]
    public void Many_scattered_writes_in_flight_cost_a_recovery_no_more_than_themselves()
    {
        const int Writes = 140;
        var world = new SimWorld(5);
        var cluster = SimCluster.Started(world, sizeBytes: 64L << 20, options: WithoutBackgroundFlush);
        var before = cluster.Boards.Select(b => b.Disk.OperationCount).ToArray();
        var requests = Enumerable.Range(0, Writes).Select(i => cluster.WriteBlock((i * 7919L) % 16384, (ulong)i + 1)).ToList();
        world.RunUntil(() => requests.Count(r => r.IsDone) > Writes / 2);
        cluster.Boards.ForEach(b => b.PowerCut());
        cluster.Host.PowerCut();
        cluster.Boards.ForEach(b => b.Start());
        cluster.Host.Start();
        cluster.RunUntilInSync();
        cluster.AssertMirrorsEqual();
        Assert.InRange(cluster.Coordinator.LastRecovery!.CopiedBytes, 1, Writes * 4096L);
        for (var board = 0; board < 2; board++)
        {
            // A write, a hash, a copy, a read and a write back for each entry, and a few for labels and syncs.
            Assert.InRange(cluster.Boards[board].Disk.OperationCount - before[board], 1, (Writes * 6) + 50);
        }
    }

    [Fact]
    public void An_agent_that_waits_for_its_volume_serves_it_when_it_is_created()
    {
        var world = new SimWorld(6);
        var cluster = new SimCluster(world);
        cluster.Boards.ForEach(b => b.Start());
        cluster.Host.Start();
        world.RunFor(3000);
        Assert.Equal(0, cluster.Coordinator.SizeBytes);
        cluster.CreateVolume();
        cluster.RunUntilInSync();
        Assert.Equal(cluster.SizeBytes, cluster.Coordinator.SizeBytes);
        Assert.Equal(VolumeError.None, cluster.Await(cluster.WriteBlock(1, 1)).Error);
    }

    [Fact]
    public void A_read_of_a_block_that_is_bad_everywhere_fails_and_never_inside_its_call()
    {
        var world = new SimWorld(7);
        var cluster = SimCluster.Started(world, options: WithoutBackgroundFlush);
        cluster.Await(cluster.WriteBlock(5, 1));
        cluster.Host.PowerCut();
        var bad = cluster.DataOffset + (5 * SimCluster.BlockBytes);
        foreach (var board in cluster.Boards)
        {
            board.Disk.Faults.Judge = (operation, offset, length) =>
                operation == SimDiskOperation.Read && offset < bad + 4096 && offset + length > bad ? "The medium is bad there." : null;
        }

        cluster.Host.Start();
        cluster.RunUntilInSync();
        var request = new SimRequest();
        var endedInside = false;
        cluster.Host.Post(() =>
        {
            cluster.Coordinator.Read(5 * SimCluster.BlockBytes, 4096, request);
            endedInside = request.IsDone;
        });
        cluster.Await(request);
        Assert.Equal(VolumeError.Io, request.Error);
        Assert.False(endedInside);
        Assert.Equal(VolumeError.None, cluster.Await(cluster.ReadBlock(6)).Error);

        // Overwritten, it is good again.
        cluster.Boards.ForEach(b => b.Disk.Faults.Judge = null);
        Assert.Equal(VolumeError.None, cluster.Await(cluster.WriteBlock(5, 2)).Error);
        Assert.Equal(SimApplication.Pattern(2, 4096), cluster.Await(cluster.ReadBlock(5)).Data);
    }

    [Fact]
    public void What_a_board_could_not_read_to_write_it_back_gets_a_plan_that_knows_it()
    {
        var world = new SimWorld(9);
        var cluster = SimCluster.Started(world, options: WithoutBackgroundFlush);
        cluster.Await(cluster.WriteBlock(5, 1));
        var block = cluster.DataOffset + (5 * SimCluster.BlockBytes);
        cluster.Boards[0].PowerCut();
        cluster.Host.PowerCut();
        cluster.Boards[0].Start();
        var reads = 0;
        // The write back cannot read it, the hash can: R5 proves nothing about it then.
        cluster.Boards[0].Disk.Faults.Judge = (operation, offset, length) =>
            operation == SimDiskOperation.Read && offset < block + 4096 && offset + length > block && ++reads == 1 ? "The medium is bad there." : null;
        cluster.Host.Start();
        cluster.RunUntilInSync();
        Assert.Equal(2u, cluster.Coordinator.LastRecovery!.Attempts);
        cluster.AssertMirrorsEqual();
    }

    [Fact]
    public void A_block_that_stays_unreadable_on_one_board_holds_up_no_recovery_for_ever()
    {
        var world = new SimWorld(10);
        var cluster = SimCluster.Started(world, options: WithoutBackgroundFlush);
        cluster.Await(cluster.WriteBlock(5, 1));
        var block = cluster.DataOffset + (5 * SimCluster.BlockBytes);
        cluster.Boards[0].PowerCut();
        cluster.Host.PowerCut();
        cluster.Boards[0].Start();
        cluster.Boards[0].Disk.Faults.Judge = (operation, offset, length) =>
            operation == SimDiskOperation.Read && offset < block + 4096 && offset + length > block ? "The medium is bad there." : null;
        cluster.Host.Start();
        cluster.RunUntilInSync();
        Assert.Equal(SimApplication.Pattern(1, 4096), cluster.Await(cluster.ReadBlock(5)).Data);
        Assert.Equal(SimApplication.Pattern(1, 4096), cluster.Await(cluster.ReadBlock(5)).Data);
    }

    [Fact]
    public void A_board_whose_chip_fails_says_so_in_the_status_and_heals_by_its_return()
    {
        var world = new SimWorld(8);
        var cluster = SimCluster.Started(world);
        cluster.Boards[0].Nvm.IsStuck = false;
        cluster.Boards[0].Nvm.FailTransfers = int.MaxValue;
        var write = cluster.WriteBlock(3, 3);
        world.RunUntil(() => cluster.Coordinator.Describe().Members[0].Reason is { } reason && reason.Contains("chip", StringComparison.Ordinal), 120_000);
        Assert.Equal(VolumeState.Waiting, cluster.Coordinator.Describe().State);
        Assert.False(write.IsDone);
        cluster.Boards[0].PowerCut();
        cluster.Boards[0].Nvm.FailTransfers = 0;
        cluster.Boards[0].Start();
        Assert.Equal(VolumeError.None, cluster.Await(write).Error);
        cluster.RunUntilInSync();
        cluster.AssertMirrorsEqual();
    }
}
