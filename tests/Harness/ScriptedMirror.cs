using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Harness;

/// <summary>Short ways for scripts with a scripted peer.</summary>
public static class ScriptedMirror
{
    /// <summary>Gets the scripted board in the place of a board.</summary>
    public static ScriptedBoard Scripted(this SimCluster cluster, int board) => (ScriptedBoard)cluster.Boards[board].Instance!;

    /// <summary>Makes one real board with a new volume, and no host.</summary>
    public static SimCluster OneBoard(SimWorld? world = null)
    {
        var cluster = new SimCluster(world ?? new SimWorld(1), boards: 1);
        cluster.Boards[0].Start();
        cluster.CreateVolume();
        return cluster;
    }

    /// <summary>Takes the only board's power and gives it back; its script attaches again and has not ended the replay.</summary>
    public static ScriptedCoordinator Restarted(SimCluster cluster)
    {
        cluster.Boards[0].PowerCut();
        cluster.Boards[0].Start();
        cluster.World.RunFor(100);
        return ScriptedCoordinator.Attached(cluster, replayDone: false);
    }

    /// <summary>Holds commands back on the first two boards.</summary>
    public static (ScriptedBoard A, ScriptedBoard B) Hold(SimCluster cluster, params Command[] commands)
    {
        for (var i = 0; i < 2; i++)
        {
            cluster.Scripted(i).Held.UnionWith(commands);
        }

        return (cluster.Scripted(0), cluster.Scripted(1));
    }
}
