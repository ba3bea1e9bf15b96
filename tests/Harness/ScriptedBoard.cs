using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Harness;

/// <summary>A peer in the place of a board: answers like an obedient one, but for the commands that the script holds back and answers itself.</summary>
public sealed class ScriptedBoard
{
    private readonly SimNodeContext _context;
    private readonly int _member;
    private readonly int _boards;
    private readonly long _sizeBytes;
    private ScriptedBoardConnection? _connection;
    private ulong _lastToken;

    public ScriptedBoard(SimNodeContext context, int member, int boards, long sizeBytes)
    {
        _context = context;
        _member = member;
        _boards = boards;
        _sizeBytes = sizeBytes;
        BootId = 1000 + (ulong)member;
        context.Network.Listen(new NodeAddress(context.Node.Name, SimCluster.BoardPort), _ => new ScriptedBoardConnection(this));
    }

    /// <summary>Gets the commands that the script answers itself.</summary>
    public HashSet<Command> Held { get; } = [];

    /// <summary>Gets everything received but handshakes and pings, over all connections.</summary>
    public List<ScriptedFrame> Received { get; } = [];

    public ulong BootId { get; set; }

    public ulong StartCounter { get; set; } = 1;

    public SessionId Session { get; set; }

    public Tag Durable { get; set; }

    public Tag Retired { get; set; }

    public int Capacity { get; set; } = 1000;

    /// <summary>Gets or sets the body of WELCOME in the place of this board's own account of itself.</summary>
    public byte[]? Account { get; set; }

    /// <summary>Gets how often a coordinator was let in.</summary>
    public int Welcomes { get; internal set; }

    /// <summary>Gets whether a connection stands.</summary>
    public bool IsConnected => _connection is not null;

    internal INodeLog Log => _context.Log;

    /// <summary>Makes an open volume on boards that are all scripted; nothing is flushed in the background unless the options say so.</summary>
    public static SimCluster Cluster(SimWorld world, int boards = 2, long sizeBytes = 4L << 20, Func<CoordinatorOptions, CoordinatorOptions>? options = null)
    {
        var cluster = new SimCluster(
            world,
            boards,
            sizeBytes,
            o => options?.Invoke(Quiet(o)) ?? Quiet(o),
            makeBoard: (i, context) => new ScriptedBoard(context, i, boards, sizeBytes));
        cluster.Boards.ForEach(b => b.Start());
        cluster.Host.Start();
        cluster.RunUntilInSync();
        return cluster;

        static CoordinatorOptions Quiet(CoordinatorOptions options) => options with { BackgroundFlushMs = 3_600_000, BackgroundFlushBytes = long.MaxValue };
    }

    /// <summary>Gets the frames of a command received, in order.</summary>
    public List<ScriptedFrame> Of(Command command) => Received.FindAll(f => f.Header.Command == command);

    /// <summary>Gets the sequences of the writes received, in order.</summary>
    public List<ulong> Writes => Of(Command.Write).ConvertAll(f => new Tag(f.Header.Tag).Sequence);

    /// <summary>Answers a frame as an obedient board would.</summary>
    public void Obey(ScriptedFrame frame) => _context.Node.Post(() => ObeyNow(frame));

    /// <summary>Answers a frame with a header and a body of the script's; the command is filled in unless the script has chosen one.</summary>
    public void Reply(ScriptedFrame frame, FrameHeader answer, byte[]? body = null) => _context.Node.Post(() =>
    {
        answer.Command = answer.Command == Command.None ? frame.Header.Command | Command.Reply : answer.Command;
        answer.RequestId = frame.Header.RequestId;
        Send(answer, body);
    });

    /// <summary>Makes the head of an answer.</summary>
    public FrameHeader Answer(ScriptedFrame frame, WireStatus status = WireStatus.Ok) => new()
    {
        VolumeKey = frame.Header.VolumeKey,
        Session = frame.Header.Session,
        BootId = BootId,
        Status = status,
        Tag = frame.Header.Tag,
        Watermark = Retired.Value,
    };

    /// <summary>Sends bytes as they are, if a connection stands.</summary>
    public void SendRaw(byte[] bytes) => _context.Node.Post(() => _connection?.SendRaw(bytes));

    /// <summary>Closes the connection.</summary>
    public void Disconnect() => _context.Node.Post(() => _connection?.Close("the script closes it"));

    /// <summary>Counts as restarted: a new boot id, the start counter raised, the connection closed.</summary>
    public void Restart()
    {
        BootId += 100;
        StartCounter++;
        _lastToken = 0;
        Disconnect();
    }

    internal void Let(ScriptedBoardConnection connection)
    {
        _connection = connection;
        Welcomes++;
    }

    internal void Gone(ScriptedBoardConnection connection)
    {
        if (_connection == connection)
        {
            _connection = null;
        }
    }

    internal void Take(ScriptedFrame frame)
    {
        Received.Add(frame);
        if (!Held.Contains(frame.Header.Command))
        {
            ObeyNow(frame);
        }
    }

    internal WireWriter Describe()
    {
        var writer = new WireWriter();
        new BoardState
        {
            Board = _context.Node.Name,
            BootId = BootId,
            StartCounter = StartCounter,
            Volume = SimCluster.Volume,
            VolumeName = SimCluster.VolumeName,
            Member = (ushort)_member,
            BlockBytes = SimCluster.BlockBytes,
            SizeBytes = _sizeBytes,
            Session = Session,
            Durable = Durable,
            Retired = Retired,
            CapacityEntries = Capacity,
            View = View.First(SessionId.None, 42, MemberSet.Range(_boards), _sizeBytes),
        }.WriteTo(writer);
        return writer;
    }

    private void ObeyNow(ScriptedFrame frame)
    {
        var answer = Answer(frame);
        answer.Command = frame.Header.Command | Command.Reply;
        answer.RequestId = frame.Header.RequestId;
        byte[]? body = null;
        switch (frame.Header.Command)
        {
            case Command.Attach:
                Session = new SessionId(frame.Header.Session, new WireReader(frame.Body).U64());
                body = WithTable(Describe());
                break;
            case Command.Collect:
                body = WithTable(Describe());
                break;
            case Command.Survey:
                body = Describe().Written.ToArray();
                break;
            case Command.Write:
                answer.Token = ++_lastToken;
                break;
            case Command.Flush:
            case Command.Settle:
                Durable = Tag.Max(Durable, new Tag(frame.Header.Tag));
                break;
            case Command.Finish:
                Retired = Tag.Max(Retired, new Tag(frame.Header.Tag));
                break;
            case Command.Retire:
                Retired = Tag.Max(Retired, new Tag(frame.Header.Watermark));
                break;
            case Command.Read:
                body = new byte[frame.Header.Count * SimCluster.BlockBytes];
                break;
        }

        answer.Watermark = Retired.Value;
        Send(answer, body);
    }

    private void Send(FrameHeader answer, byte[]? body) => _connection?.Send(answer, body);

    private static byte[] WithTable(WireWriter writer)
    {
        new TableReport().WriteTo(writer);
        return writer.Written.ToArray();
    }
}
