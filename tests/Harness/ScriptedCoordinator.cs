using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Harness;

/// <summary>One connection to a board, in the place of a coordinator: sends exactly what the script says, keeps what comes back.</summary>
public sealed class ScriptedCoordinator : IConnectionHandler, IFrameHandler
{
    private readonly SimCluster _cluster;
    private readonly SimNode _node;
    private readonly Hello _hello;
    private readonly byte[] _secret;
    private readonly FrameReader _reader;
    private IConnection? _connection;
    private byte[] _helloBody = [];
    private ulong _lastRequest;

    private ScriptedCoordinator(SimCluster cluster, int board, Hello hello, byte[] secret)
    {
        _cluster = cluster;
        _hello = hello;
        _secret = secret;
        _reader = new FrameReader(this);
        _node = new SimNode(cluster.World, $"script {cluster.World.Log.Count}", context => context);
        _node.Start();
        var address = cluster.Options.Boards[board].Address;
        _node.Post(() => _connection = ((SimNodeContext)_node.Instance!).Network.Connect(address, this, 1000));
    }

    /// <summary>Gets the name of the host that this side runs on.</summary>
    public string Host => _node.Name;

    /// <summary>Gets whether the board has let this side in.</summary>
    public bool IsProven { get; private set; }

    /// <summary>Gets why the connection ended; null while it stands.</summary>
    public string? Closed { get; private set; }

    /// <summary>Gets everything received after the handshake but pings, and a refusal of the handshake.</summary>
    public List<ScriptedFrame> Received { get; } = [];

    /// <summary>Gets the board's account of itself when it let this side in.</summary>
    public BoardState State { get; private set; } = new();

    /// <summary>Gets or sets the session that frames name.</summary>
    public uint Session { get; set; }

    /// <summary>Gets or sets the boot id that frames name.</summary>
    public ulong BootId { get; set; }

    /// <summary>Connects and proves the secret, as far as the board plays along.</summary>
    public static ScriptedCoordinator Connect(
        SimCluster cluster, int board = 0, HelloRole role = HelloRole.Coordinator, byte[]? secret = null, Func<Hello, Hello>? change = null)
    {
        var hello = new Hello { Role = role, Volume = SimCluster.Volume, VolumeName = SimCluster.VolumeName, Nonce = new byte[Hello.NonceSize] };
        var made = new ScriptedCoordinator(cluster, board, change?.Invoke(hello) ?? hello, secret ?? SimCluster.Secret);
        cluster.World.RunUntil(() => made.IsProven || made.Closed is not null);
        return made;
    }

    /// <summary>Connects and opens a session, or attaches again.</summary>
    public static ScriptedCoordinator Attached(SimCluster cluster, uint session = 1, ulong id = 1, bool replayDone = true)
    {
        var made = Connect(cluster);
        var answer = made.Attach(session, id);
        if (answer.Header.Status != WireStatus.Ok)
        {
            throw new InvalidOperationException($"The board refused session {session}: {answer}");
        }

        if (replayDone)
        {
            made.Ask(made.Frame(Command.ReplayDone));
        }

        return made;
    }

    /// <summary>Sends ATTACH and waits for the answer.</summary>
    public ScriptedFrame Attach(uint session, ulong id)
    {
        Session = session;
        return Ask(Frame(Command.Attach), new WireWriter().U64(id).Written.ToArray());
    }

    /// <summary>Makes a frame of this session and boot.</summary>
    public FrameHeader Frame(Command command) =>
        new() { Command = command, VolumeKey = SimCluster.Volume.Key, Session = Session, BootId = BootId };

    /// <summary>Makes a write of whole blocks.</summary>
    public FrameHeader WriteFrame(ulong sequence, long block, int count = 1, FrameFlags flags = FrameFlags.None)
    {
        var header = Frame(Command.Write);
        header.Tag = Tag.Of(Session, sequence).Value;
        header.Address = block;
        header.Count = count;
        header.Flags = flags;
        header.Generator = 1;
        return header;
    }

    /// <summary>Sends a frame; returns the request id by which <see cref="Answer"/> finds the answer.</summary>
    public ulong Send(FrameHeader header, byte[]? body = null)
    {
        var id = ++_lastRequest;
        header.RequestId = id;
        _node.Post(() => _connection!.SendFrame(ref header, body ?? default(ReadOnlySpan<byte>)));
        return id;
    }

    /// <summary>Sends bytes as they are.</summary>
    public void SendRaw(byte[] bytes) => _node.Post(() =>
    {
        var slice = Slice.Copy(bytes);
        _connection!.Send(slice);
        slice.Release();
    });

    /// <summary>Sends a write; its content is the pattern of its sequence.</summary>
    public ulong Write(ulong sequence, long block, int count = 1, FrameFlags flags = FrameFlags.None) =>
        Send(WriteFrame(sequence, block, count, flags), Content(sequence, count));

    /// <summary>Gets what <see cref="Write"/> writes.</summary>
    public static byte[] Content(ulong sequence, int count = 1) => SimApplication.Pattern(sequence, count * SimCluster.BlockBytes);

    /// <summary>Gets the answer to a request, or null.</summary>
    public ScriptedFrame? Answer(ulong request) => Received.Find(f => f.Header.RequestId == request && f.Header.IsReply);

    /// <summary>Waits for the answer to a request.</summary>
    public ScriptedFrame Await(ulong request)
    {
        _cluster.World.RunUntil(() => Answer(request) is not null || Closed is not null);
        return Answer(request) ?? throw new InvalidOperationException($"The connection was closed before the answer came: {Closed}. {_cluster.World.Story}");
    }

    /// <summary>Sends a frame and waits for the answer.</summary>
    public ScriptedFrame Ask(FrameHeader header, byte[]? body = null) => Await(Send(header, body));

    /// <summary>Sends FLUSH(L) and waits for the answer.</summary>
    public ScriptedFrame Flush(ulong low) => Ask(FlushFrame(low));

    /// <summary>Makes FLUSH(L).</summary>
    public FrameHeader FlushFrame(ulong low)
    {
        var header = Frame(Command.Flush);
        header.Tag = Tag.Of(Session, low).Value;
        return header;
    }

    /// <summary>Sends a watermark and waits for the answer.</summary>
    public ScriptedFrame Retire(ulong watermark, ulong token = 0)
    {
        var header = Frame(Command.Retire);
        header.Watermark = Tag.Of(Session, watermark).Value;
        header.Token = token;
        return Ask(header);
    }

    /// <summary>Sends a read and waits for the answer.</summary>
    public ScriptedFrame Read(long block, int count = 1)
    {
        var header = Frame(Command.Read);
        header.Address = block;
        header.Count = count;
        return Ask(header);
    }

    void IConnectionHandler.Connected(IConnection connection)
    {
        var writer = new WireWriter();
        _hello.WriteTo(writer);
        _helloBody = writer.Written.ToArray();
        var header = new FrameHeader { Command = Command.Hello };
        connection.SendFrame(ref header, _helloBody);
    }

    void IConnectionHandler.Received(IConnection connection, Slice slice)
    {
        if (_reader.Take(slice) is { } wrong)
        {
            throw new InvalidOperationException($"The board sent what is no frame: {wrong}.");
        }
    }

    void IConnectionHandler.Drained(IConnection connection)
    {
    }

    void IConnectionHandler.Closed(IConnection connection, string reason) => Closed = reason;

    void IFrameHandler.Frame(in FrameHeader header, Payload? payload)
    {
        var body = new byte[payload?.Length ?? 0];
        payload?.CopyTo(0, body);
        switch (header.Command)
        {
            case Command.Ping:
                var pong = new FrameHeader { Command = Command.Ping | Command.Reply };
                _connection!.SendFrame(ref pong);
                return;
            case Command.Ping | Command.Reply:
                return;
            case Command.Challenge:
                var proof = new FrameHeader { Command = Command.Proof };
                _connection!.SendFrame(ref proof, HelloProof.OfCaller(_secret, _helloBody, body.AsSpan(0, Hello.NonceSize)));
                return;
            case Command.Welcome:
                State = BoardState.Read(new WireReader(body))!;
                BootId = State.BootId;
                IsProven = true;
                return;
            default:
                Received.Add(new ScriptedFrame(header, body));
                return;
        }
    }
}
