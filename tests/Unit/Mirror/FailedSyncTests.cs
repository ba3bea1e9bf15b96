using MirrorController.Protocol.Seams;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>What a board does after a sync has failed and its pages count as clean (rules D1, D4, R5). Found by random histories.</summary>
public sealed class FailedSyncTests
{
    [Fact]
    public void After_a_failed_sync_tokens_count_anew_and_later_writes_are_taken()
    {
        var cluster = SimCluster.Started(new SimWorld(1));
        Assert.Equal(VolumeError.None, cluster.Await(cluster.WriteBlock(1, 1)).Error);
        cluster.Boards[0].Disk.Faults.FailSyncs = 1;
        Assert.Equal(VolumeError.None, cluster.Await(cluster.Flush()).Error);
        Assert.Equal(VolumeError.None, cluster.Await(cluster.WriteBlock(2, 2)).Error);

        // It carries the token of the first write, and the second one must not have the same.
        Assert.Equal(VolumeError.None, cluster.Await(cluster.WriteBlock(3, 3)).Error);
    }

    [Fact]
    public void A_block_that_cannot_be_written_back_is_not_taken_for_durable()
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            var cluster = SimCluster.Started(new SimWorld(seed));
            Assert.Equal(VolumeError.None, cluster.Await(cluster.WriteBlock(1, 1, count: 16)).Error);
            cluster.Host.PowerCut();

            // The sync leaves pages clean that were never written; then the write that mends this fails.
            cluster.Boards[0].Disk.Faults.FailSyncs = 1;
            cluster.Boards[0].Disk.Faults.FailWrites = 1;
            cluster.Host.Start();
            cluster.RunUntilInSync();
            Assert.Equal(0, cluster.Boards[0].Disk.Faults.FailWrites);
            cluster.Boards[0].PowerCut();
            cluster.Boards[0].Start();
            cluster.World.RunFor(100);
            cluster.AssertMirrorsEqual();
        }
    }
}
