using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>What the operator is told of members.</summary>
public sealed class StatusRulesTests
{
    [Fact]
    public void The_chips_fill_is_that_of_now_and_not_of_the_connecting()
    {
        var cluster = SimCluster.Started(new SimWorld(5));
        var before = cluster.Coordinator.Describe().Members[0].State!.NvmUsedBytes;
        for (var i = 0; i < 40; i++)
        {
            cluster.Await(cluster.WriteBlock(2 * i, 1));
        }

        cluster.Host.Post(cluster.Coordinator.RefreshChips);
        cluster.World.RunFor(20);

        var now = cluster.Board(0).Describe().NvmUsedBytes;
        Assert.NotEqual(before, now);
        Assert.Equal(now, cluster.Coordinator.Describe().Members[0].State!.NvmUsedBytes);
    }

    [Fact]
    public void Boards_whose_addresses_are_swapped_are_refused_and_nothing_is_served()
    {
        var world = new SimWorld(6);
        var cluster = new SimCluster(world, options: o => o with
        {
            Boards = [new BoardAddress("pi-a", new NodeAddress("pi-b", SimCluster.BoardPort)), new BoardAddress("pi-b", new NodeAddress("pi-a", SimCluster.BoardPort))],
        });
        cluster.Boards.ForEach(b => b.Start());
        cluster.CreateVolume();
        cluster.Host.Start();

        world.RunFor(5000);

        var status = cluster.Coordinator.Describe();
        Assert.Equal(VolumeState.Waiting, status.State);
        Assert.All(status.Members, m => Assert.Equal(("Refused", "Refused"), (m.Connection, m.Sync)));
        Assert.Contains("the board at pi-b:7710 says that it is pi-b, not pi-a.", status.WaitingFor, StringComparison.Ordinal);
        Assert.Contains("the board at pi-a:7710 says that it is pi-a, not pi-b.", status.WaitingFor, StringComparison.Ordinal);
    }

    [Fact]
    public void Blank_boards_only_need_a_creation()
    {
        var world = new SimWorld(7);
        var cluster = new SimCluster(world);
        cluster.Boards.ForEach(b => b.Start());
        cluster.Host.Start();

        world.RunFor(3000);

        var status = cluster.Coordinator.Describe();
        Assert.All(status.Members, m => Assert.EndsWith("A new volume is made with 'mirrorctl volume create'.", m.Reason, StringComparison.Ordinal));
        Assert.DoesNotContain("resync", status.WaitingFor, StringComparison.Ordinal);
    }

    [Fact]
    public void All_boards_that_are_waited_for_are_named()
    {
        var cluster = SimCluster.Started(new SimWorld(8), boards: 3);
        cluster.Boards[0].PowerCut();
        cluster.Boards[2].PowerCut();
        cluster.World.RunFor(1000);

        var waiting = cluster.Coordinator.Describe().WaitingFor;

        Assert.Contains("Board pi-a: it does not answer", waiting, StringComparison.Ordinal);
        Assert.Contains("Board pi-c: it does not answer", waiting, StringComparison.Ordinal);
        Assert.DoesNotContain("pi-b", waiting, StringComparison.Ordinal);
    }
}
