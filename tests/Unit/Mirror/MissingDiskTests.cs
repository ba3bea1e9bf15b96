using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>A disk that is not there when its board starts is waited for; it is no foreign disk.</summary>
public sealed class MissingDiskTests
{
    [Fact]
    public void A_disk_that_comes_late_brings_its_board_back_without_a_restart()
    {
        var cluster = SimCluster.Started(new SimWorld(3));
        cluster.Await(cluster.WriteBlock(3, 7));
        cluster.Boards[1].PowerCut();
        cluster.Boards[1].Disk.WasMade = false;
        cluster.Boards[1].Start();
        cluster.World.RunFor(3000);
        var status = cluster.Coordinator.Describe();
        Assert.Equal((VolumeState.Waiting, "Failing"), (status.State, status.Members[1].Sync));
        Assert.Contains("is not there; the board looks again every second.", status.WaitingFor, StringComparison.Ordinal);
        Assert.DoesNotContain("resync", status.WaitingFor, StringComparison.Ordinal);

        cluster.Boards[1].Disk.WasMade = true;

        cluster.RunUntilInSync(5000);
        cluster.AssertMirrorsEqual();
    }

    [Fact]
    public void A_label_that_cannot_be_read_for_a_while_makes_no_stranger_of_the_disk()
    {
        var cluster = SimCluster.Started(new SimWorld(5));
        cluster.Await(cluster.WriteBlock(3, 7));
        cluster.Boards[1].PowerCut();
        cluster.Boards[1].Disk.Faults.FailReads = 2;
        cluster.Boards[1].Start();
        cluster.World.RunFor(500);
        Assert.Equal(BoardCondition.Failed, cluster.Board(1).Condition);
        Assert.Contains("cannot be read", cluster.Board(1).Describe().Reason, StringComparison.Ordinal);

        cluster.RunUntilInSync(5000);
        cluster.AssertMirrorsEqual();
    }

    [Fact]
    public void An_opening_waits_for_a_disk_that_comes_late()
    {
        var cluster = SimCluster.Started(new SimWorld(4));
        cluster.Host.PowerCut();
        cluster.Boards[0].PowerCut();
        cluster.Boards[0].Disk.WasMade = false;
        cluster.Boards[0].Start();
        cluster.Host.Start();
        cluster.World.RunFor(3000);
        Assert.Equal(BoardCondition.Failed, cluster.Board(0).Condition);
        Assert.DoesNotContain("resync", cluster.Coordinator.Describe().WaitingFor, StringComparison.Ordinal);

        cluster.Boards[0].Disk.WasMade = true;

        cluster.RunUntilInSync(5000);
    }
}
