using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>Overlapping writes, a host that dies, and a board that loses its power at every single operation of the recovery.</summary>
public sealed class RecoveryCrashPointTests
{
    private static readonly byte[] _flushed = SimApplication.Pattern(1, 4 * SimCluster.BlockBytes);
    private static readonly byte[] _first = SimApplication.Pattern(10, 2 * SimCluster.BlockBytes);
    private static readonly byte[] _second = SimApplication.Pattern(11, 2 * SimCluster.BlockBytes);

    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    [InlineData(1, true)]
    public void The_mirrors_are_equal_and_nothing_is_lost_wherever_the_power_goes(int board, bool hostDiesToo)
    {
        var points = 0;
        while (RunWithCut(board, points + 1, hostDiesToo))
        {
            points++;
            Assert.True(points < 500);
        }

        // Two superblocks, reads, marks, copies, syncs, D and R: a board that is only copied from does fewer.
        Assert.True(points >= 6, $"only {points} points were met");
    }

    /// <summary>One history; false when the recovery ended before the cut came.</summary>
    private static bool RunWithCut(int board, int operation, bool hostDiesToo)
    {
        var rig = RecoveryRig.Started((ulong)operation);
        rig.Cluster.Await(rig.Cluster.WriteBlock(2, 1, count: 4));
        rig.Settle();

        // The first one is acknowledged, the second is on one board only, the third waits behind it.
        var acknowledged = rig.Cluster.WriteBlock(2, 10, count: 2);
        var half = rig.Cluster.WriteBlock(3, 11, count: 2);
        rig.Cluster.WriteBlock(4, 12, count: 2);
        rig.Tap.Holds = f => f.Is(Command.Write, rig.NameOf(1)) && f.Header.Address != 2;
        rig.World.RunUntil(() => acknowledged.IsDone && rig.Cluster.PeekBlocks(0, 3, 2).AsSpan().SequenceEqual(_second));
        rig.World.RunFor(2);
        Assert.False(half.IsDone);
        rig.Cluster.Host.PowerCut();
        rig.World.RunFor(10);
        rig.Tap.Release();

        var node = rig.Cluster.Boards[board];
        node.PowerCutAtOperation(operation);
        rig.Cluster.Host.Start();
        rig.World.RunUntil(() => !node.IsRunning || rig.Coordinator.Describe().State == VolumeState.InSync);
        if (node.IsRunning)
        {
            return false;
        }

        if (hostDiesToo)
        {
            rig.Cluster.Host.PowerCut();
        }

        rig.World.RunFor(20);
        node.Start();
        if (hostDiesToo)
        {
            rig.World.RunFor(20);
            rig.Cluster.Host.Start();
        }

        rig.Cluster.RunUntilInSync();
        Check(rig);

        // All of it is durable on both: no power cut changes a byte, and the next opening finds nothing to do.
        rig.Cluster.Host.PowerCut();
        rig.RestartAllBoards();
        Check(rig);
        rig.RestartHost();
        rig.Cluster.RunUntilInSync();
        Assert.Equal(0, rig.Coordinator.LastRecovery!.CopiedBytes);
        Check(rig);
        return true;
    }

    private static void Check(RecoveryRig rig)
    {
        const int Block = SimCluster.BlockBytes;
        rig.Cluster.AssertMirrorsEqual();
        var found = rig.Cluster.PeekBlocks(0, 2, 4);
        // Acknowledged, and one board at least never lost it.
        Assert.Equal(_first[..Block], found[..Block]);
        Assert.Equal(_flushed[(3 * Block)..], found[(3 * Block)..]);
        // Under the write that was not acknowledged: any version since the last flush, sector by sector.
        for (var at = Block; at < 3 * Block; at += 512)
        {
            var sector = found.AsSpan(at, 512);
            Assert.True(
                sector.SequenceEqual(_flushed.AsSpan(at, 512)) || sector.SequenceEqual(_second.AsSpan(at - Block, 512))
                || (at < 2 * Block && sector.SequenceEqual(_first.AsSpan(at, 512))),
                $"byte {at} holds something else. {rig.World.Story}");
        }
    }
}
