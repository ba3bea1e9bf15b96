using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>The whole path in virtual time: two boards, a coordinator, writes, cuts, recovery.</summary>
public sealed class FirstLightTests
{
    [Fact]
    public void A_new_volume_opens_and_serves_writes_reads_and_flushes()
    {
        var world = new SimWorld(1);
        var cluster = SimCluster.Started(world);
        Assert.Equal(VolumeError.None, cluster.Await(cluster.WriteBlock(3, 7)).Error);
        Assert.Equal(SimApplication.Pattern(7, 4096), cluster.Await(cluster.ReadBlock(3)).Data);
        Assert.Equal(VolumeError.None, cluster.Await(cluster.Flush()).Error);
        cluster.AssertMirrorsEqual();
    }

    [Fact]
    public void A_write_that_does_not_keep_to_blocks_changes_only_its_bytes()
    {
        var world = new SimWorld(2);
        var cluster = SimCluster.Started(world);
        cluster.Await(cluster.WriteBlock(0, 1, count: 3));
        cluster.Await(cluster.Write(100, [1, 2, 3]));
        cluster.Await(cluster.Write(4000, new byte[5000]));
        var expected = SimApplication.Pattern(1, 3 * 4096);
        new byte[] { 1, 2, 3 }.CopyTo(expected, 100);
        expected.AsSpan(4000, 5000).Clear();
        Assert.Equal(expected, cluster.Await(cluster.ReadBlock(0, 3)).Data);
        Assert.Equal(expected[50..150], cluster.Await(cluster.Read(50, 100)).Data);
        cluster.AssertMirrorsEqual();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void All_boards_lose_their_power_and_nothing_acknowledged_is_lost(bool silent)
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var world = new SimWorld(seed);
            var cluster = SimCluster.Started(world);
            var writes = Enumerable.Range(0, 40).Select(i => cluster.WriteBlock(i % 13, (ulong)i + 1)).ToList();
            world.RunFor(3);
            cluster.Boards.ForEach(b => b.PowerCut(silent));
            world.RunFor(100);
            cluster.Boards.ForEach(b => b.Start());
            writes.ForEach(w => Assert.Equal(VolumeError.None, cluster.Await(w).Error));
            cluster.RunUntilInSync();
            for (var block = 0; block < 13; block++)
            {
                var last = Enumerable.Range(0, 40).Last(i => i % 13 == block) + 1;
                Assert.Equal(SimApplication.Pattern((ulong)last, 4096), cluster.Await(cluster.ReadBlock(block)).Data);
            }

            cluster.Await(cluster.Flush());
            cluster.AssertMirrorsEqual();
        }
    }

    [Fact]
    public void The_host_dies_and_the_next_session_makes_the_mirrors_equal()
    {
        for (ulong seed = 1; seed <= 50; seed++)
        {
            var world = new SimWorld(seed);
            var cluster = SimCluster.Started(world);
            for (var i = 0; i < 40; i++)
            {
                cluster.WriteBlock(i % 13, (ulong)i + 1);
            }

            world.RunFor((long)(seed % 5) + 1);
            cluster.Host.PowerCut();
            if (seed % 2 == 0)
            {
                cluster.Boards[0].PowerCut();
                world.RunFor(10);
                cluster.Boards[0].Start();
            }

            cluster.Host.Start();
            cluster.RunUntilInSync();
            cluster.AssertMirrorsEqual();
        }
    }
}
