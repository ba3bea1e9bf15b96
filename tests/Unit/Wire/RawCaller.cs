using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Wire;

/// <summary>A second implementation of the caller's side, as docs/wire-protocol.md has it: frames by hand, on one connection.</summary>
internal sealed class RawCaller : IConnectionHandler, IFrameHandler
{
    private readonly SimWorld _world;
    private readonly SimNode _node;
    private readonly Queue<(FrameHeader Header, byte[] Body)> _frames = new();
    private IConnection? _connection;
    private FrameReader? _reader;

    public RawCaller(SimWorld world, string name, NodeAddress board)
    {
        _world = world;
        _node = new SimNode(world, name, context => context.Network.Connect(board, this, 1000));
        _node.Start();
        world.RunUntil(() => _connection is not null);
    }

    /// <summary>Gets why the connection was closed; null while it stands.</summary>
    public string? ClosedBecause { get; private set; }

    /// <summary>Sends a frame.</summary>
    public void Send(FrameHeader header, byte[]? body = null) => _node.Post(() => _connection!.SendFrame(ref header, body ?? []));

    /// <summary>Sends a frame and waits for the next one.</summary>
    public (FrameHeader Header, byte[] Body) Ask(FrameHeader header, byte[]? body = null)
    {
        Send(header, body);
        _world.RunUntil(() => _frames.Count > 0, 10_000);
        return _frames.Dequeue();
    }

    /// <summary>Waits until the board closes the connection.</summary>
    public void AwaitClosed() => _world.RunUntil(() => ClosedBecause is not null, 10_000);

    /// <summary>Gets in, and returns the boot id and the state.</summary>
    public (ulong BootId, BoardState State) GetIn(HelloRole role, byte[] secret)
    {
        var nonce = new byte[Hello.NonceSize];
        var writer = new WireWriter();
        new Hello { Role = role, VolumeName = SimCluster.VolumeName, Nonce = nonce }.WriteTo(writer);
        var hello = writer.Written.ToArray();
        var (challenge, body) = Ask(new FrameHeader { Command = Command.Hello }, hello);
        Assert.Equal(Command.Challenge, challenge.Command);
        Assert.Equal(48, body.Length);
        Assert.Equal(HelloProof.OfListener(secret, hello, body.AsSpan(0, 16)), body[16..]);
        var (welcome, state) = Ask(new FrameHeader { Command = Command.Proof }, HelloProof.OfCaller(secret, hello, body.AsSpan(0, 16)));
        Assert.Equal(Command.Welcome, welcome.Command);
        Assert.Equal(challenge.BootId, welcome.BootId);
        return (welcome.BootId, BoardState.Read(new WireReader(state))!);
    }

    public void Connected(IConnection connection)
    {
        _reader = new FrameReader(this);
        _connection = connection;
    }

    public void Received(IConnection connection, Slice slice) => Assert.Null(_reader!.Take(slice));

    public void Drained(IConnection connection)
    {
    }

    public void Closed(IConnection connection, string reason) => ClosedBecause = reason;

    public void Frame(in FrameHeader header, Payload? payload)
    {
        if (header.Command == Command.Ping)
        {
            var pong = new FrameHeader { Command = Command.Ping | Command.Reply };
            _connection!.SendFrame(ref pong);
            return;
        }

        var body = new byte[payload?.Length ?? 0];
        payload?.CopyTo(0, body);
        _frames.Enqueue((header, body));
    }
}
