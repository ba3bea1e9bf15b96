using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <summary>A board: a disk array with one member of a volume (44 and 46 of the patent's figure 3).</summary>
/// <remarks>Single-threaded; every member runs on the loop.</remarks>
public sealed partial class BoardNode
{
    private const int ConnectionsMax = 64;

    private readonly INetwork _network;
    private readonly INvm _chip;
    private readonly List<BoardConnection> _connections = [];
    private IListener? _listener;

    public BoardNode(
        ILoop loop, INetwork network, IRandomSource random, INodeLog log, BufferPool pool, INvm chip, IDiskPlace disk, BoardOptions options)
    {
        Loop = loop;
        _network = network;
        Random = random;
        Log = log;
        Pool = pool;
        Options = options;
        DiskPlace = disk;
        Signal = new LoopSignal(loop);
        _chip = chip;
        Store = MakeStore();
        Peers = new PeerLinks(this, network);
    }

    /// <summary>Gets the address in force, once the board listens.</summary>
    public NodeAddress Address => _listener?.Address ?? Options.Listen;

    /// <summary>Gets what the board is good for.</summary>
    public BoardCondition Condition { get; internal set; } = BoardCondition.Unusable;

    /// <summary>Gets why it is not a member, one sentence.</summary>
    public string Reason { get; internal set; } = "The board has not started yet.";

    /// <summary>Gets the board's boot id: random, new at every start and whenever it counts as restarted (rule D1).</summary>
    public ulong BootId { get; internal set; }

    /// <summary>Gets or sets who is told that the board counts as restarted and why; for lights and tests.</summary>
    public Action<string>? Restarted { get; set; }

    internal ILoop Loop { get; }

    internal IRandomSource Random { get; }

    internal INodeLog Log { get; }

    internal BufferPool Pool { get; }

    internal BoardOptions Options { get; }

    internal IDiskPlace DiskPlace { get; }

    internal NvmStore Store { get; private set; }

    internal LoopSignal Signal { get; }

    internal PeerLinks Peers { get; }

    /// <summary>Gets the member of the volume that this board holds; null while it holds none.</summary>
    internal BoardVolume? Volume { get; set; }

    /// <summary>Gets whether the board is starting anew and answers nobody.</summary>
    internal bool IsRestarting { get; private set; }

    /// <summary>Gets the tag table, for tests and displays; null without a volume.</summary>
    public NvmVolume? Table => Volume?.Nvm;

    /// <summary>Stops listening, closes all connections and the disk.</summary>
    public void Stop()
    {
        _isStopped = true;
        _listener?.Close();
        CloseConnections("the board stops");
        Peers.Stop();
        Volume?.Disk.Close();
    }

    /// <summary>Describes the board: the answer to SURVEY.</summary>
    public BoardState Describe()
    {
        var statistics = Store.Statistics;
        var state = new BoardState
        {
            Board = Options.Name,
            Condition = Condition,
            Reason = Condition == BoardCondition.Member ? string.Empty : Reason,
            BootId = BootId,
            StartCounter = Store.StartCounter,
            NvmKind = statistics.Kind,
            NvmSizeBytes = statistics.SizeBytes,
            NvmUsedBytes = (int)statistics.UsedBytes,
            NvmBytesWritten = (ulong)statistics.BytesWritten,
            NvmBytesOverhead = (ulong)statistics.BytesOverhead,
            NvmCommits = (ulong)statistics.Commits,
            Disk = DiskPlace.Name,
        };
        return Volume is null ? state : Volume.Describe(state);
    }

    /// <summary>The disk failed to become durable, or a synchronous write failed: everything above D is doubtful (rule D1).</summary>
    /// <remarks>
    /// The start counter is raised and stored, a new boot id drawn, all connections are closed, every entry above D is
    /// unsure. Only rewriting them, the replay, makes them good: the system may have marked the lost pages clean.
    /// </remarks>
    internal async Task CountAsRestartedAsync(string why)
    {
        if (IsRestarting || Condition == BoardCondition.Failed)
        {
            return;
        }

        IsRestarting = true;
        Log.Error($"{why} The board counts as restarted: all that is not durable is written again.");
        CloseConnections(why);
        Volume?.ForgetBoot();
        var status = await Store.RestartAsync();
        if (!status.IsOk)
        {
            FailNvm(status.Fault!);
            return;
        }

        BootId = Store.BootId;
        IsRestarting = false;
        Restarted?.Invoke(why);
        Signal.Pulse();
    }

    /// <summary>The memory chip has failed: nothing can be stored any more.</summary>
    internal void FailNvm(string fault)
    {
        IsRestarting = false;
        Reason = fault;
        if (Condition != BoardCondition.Failed)
        {
            Condition = BoardCondition.Failed;
            Log.Error(fault);
            // Whoever is attached learns on its next connection that this board serves no more, and why.
            CloseConnections(fault);
            StartAgainLater(fault);
        }
    }

    internal void Remove(BoardConnection connection)
    {
        _connections.Remove(connection);
        Volume?.ConnectionClosed(connection);
    }

    internal void Guard(Task procedure) => Loop.Guard(procedure, "board");

    private NvmStore MakeStore() => new(Loop, _chip, Random, Log) { RetiredStored = (_, retired) => Volume?.RetiredStored(retired) };

    private void Listen()
    {
        _listener = _network.Listen(Options.Listen, _ =>
        {
            var isFull = false;
            if (_connections.Count >= ConnectionsMax)
            {
                // The oldest that has proven nothing makes room; without one the newcomer goes.
                var victim = _connections.Find(c => !c.IsProven);
                victim?.Close("too many connections");
                isFull = victim is null;
            }

            var connection = new BoardConnection(this, isFull);
            _connections.Add(connection);
            return connection;
        });
    }

    private void CloseConnections(string why, BoardConnection? except = null)
    {
        foreach (var connection in _connections.ToArray())
        {
            if (connection != except)
            {
                connection.Close(why);
            }
        }
    }
}
