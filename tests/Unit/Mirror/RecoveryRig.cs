using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>A cluster with a tap in it, and the moves that scripts of openings and recoveries are made of.</summary>
internal sealed class RecoveryRig
{
    public RecoveryRig(ulong seed = 1, int boards = 2, SimOptions? world = null, Func<CoordinatorOptions, CoordinatorOptions>? options = null)
    {
        World = new SimWorld(seed, world);
        Tap = new FrameTap();
        Cluster = new SimCluster(World, boards, sizeBytes: 1 << 20, options) { Tap = Tap };
    }

    public SimWorld World { get; }

    public FrameTap Tap { get; }

    public SimCluster Cluster { get; }

    public Coordinator Coordinator => Cluster.Coordinator;

    public string NameOf(int board) => Cluster.Boards[board].Name;

    /// <summary>Makes a rig whose volume is created, open and in sync, the frames of all that forgotten.</summary>
    public static RecoveryRig Started(
        ulong seed = 1, int boards = 2, SimOptions? world = null, Func<CoordinatorOptions, CoordinatorOptions>? options = null)
    {
        var rig = new RecoveryRig(seed, boards, world, options);
        rig.Cluster.Boards.ForEach(b => b.Start());
        rig.Cluster.CreateVolume();
        rig.Cluster.Host.Start();
        rig.Cluster.RunUntilInSync();
        rig.Settle();
        rig.Tap.Frames.Clear();
        return rig;
    }

    /// <summary>Runs until everything is durable and retired on all boards.</summary>
    public void Settle()
    {
        Cluster.Await(Cluster.Flush());
        World.RunUntil(() => Cluster.Boards.TrueForAll(b => b.IsRunning && Table(Cluster.Boards.IndexOf(b)).Table.Count == 0));
        World.RunFor(200);
    }

    public Protocol.Nvm.NvmVolume Table(int board) => Cluster.Board(board).Table!;

    public BoardState State(int board) => Cluster.Board(board).Describe();

    public uint Session(int board) => State(board).Session.Number;

    public static byte[] Block(ulong version) => SimApplication.Pattern(version, SimCluster.BlockBytes);

    /// <summary>The host loses its power and starts again, as a new session.</summary>
    public void RestartHost()
    {
        Cluster.Host.PowerCut();
        World.RunFor(10);
        Tap.Frames.Clear();
        Cluster.Host.Start();
    }

    /// <summary>A board loses its power and starts again.</summary>
    public void RestartBoard(int board, bool silent = false)
    {
        Cluster.Boards[board].PowerCut(silent);
        World.RunFor(10);
        Cluster.Boards[board].Start();
    }

    /// <summary>Lets a write reach its table everywhere and its disk only where no fault is set; the host does not outlive it.</summary>
    /// <remarks>The board holds the entry and the old data; it is unsure of it, for its disk did not take the data.</remarks>
    public void WriteThatFailsOn(int board, long block, ulong version)
    {
        var faults = Cluster.Boards[board].Disk.Faults;
        faults.Judge = (operation, _, _) => operation is SimDiskOperation.Write or SimDiskOperation.WriteSync ? "The write failed." : null;
        Cluster.WriteBlock(block, version);
        World.RunUntil(() => Enumerable.Range(0, Cluster.Boards.Count).All(b => b == board || Cluster.PeekBlocks(b, block).AsSpan().SequenceEqual(Block(version)))
            && Table(board).Table.Count > 0 && !Table(board).Table[Table(board).Table.Count - 1].InProgress);
        Cluster.Host.PowerCut();
        faults.Judge = null;
    }

    /// <summary>Lets a write reach one board only: the others never hear of it, and the host does not outlive it.</summary>
    public void WriteOnlyOn(int board, long block, ulong version, int count = 1)
    {
        Tap.Holds = f => f.Header.Command == Command.Write && f.To != NameOf(board);
        Cluster.WriteBlock(block, version, count: count);
        World.RunUntil(() => Cluster.PeekBlocks(board, block, count).AsSpan().SequenceEqual(SimApplication.Pattern(version, count * SimCluster.BlockBytes)));
        World.RunFor(1);
        Cluster.Host.PowerCut();
        World.RunFor(10);
        Tap.Release();
        World.RunFor(10);
        Tap.Frames.Clear();
    }

    /// <summary>All boards lose their power and start again: what is not durable may be lost.</summary>
    public void RestartAllBoards()
    {
        Cluster.Boards.ForEach(b => b.PowerCut());
        World.RunFor(10);
        Cluster.Boards.ForEach(b => b.Start());
        World.RunUntil(() => Cluster.Boards.TrueForAll(b => b.Instance is Firmware.Array.BoardNode { Table: not null }));
    }

    public static Tag Start(uint session) => Tag.Of(session, 0);
}
