using MirrorController.HostAgent.Nbd;
using MirrorController.Protocol.Seams;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Nbd;

/// <summary>A server with one memory volume and one client, the test.</summary>
internal sealed class NbdBench : INetwork
{
    public const int GreetingBytes = 18;
    private readonly List<Slice> _given = [];
    private Func<IConnection, IConnectionHandler>? _accept;
    private bool _isClosed;

    public NbdBench(long sizeBytes = 64 << 20, bool connect = true)
    {
        Volume = new MemoryVolume(Loop, "tank", sizeBytes);
        Server = new NbdServer(Loop, this, Log);
        Server.Export(Volume);
        Server.Listen(new NodeAddress("127.0.0.1", 0));
        if (connect)
        {
            Connect();
        }
    }

    public ScriptedLoop Loop { get; } = new();

    public ListLog Log { get; } = new();

    public MemoryVolume Volume { get; }

    public NbdServer Server { get; }

    public ScriptedConnection Connection { get; private set; } = new();

    public IConnectionHandler Handler { get; private set; } = null!;

    /// <summary>Gets what the server sent after its greeting.</summary>
    public byte[] Answer => Connection.Sent[GreetingBytes..];

    public void Connect()
    {
        Connection = new ScriptedConnection();
        Handler = _accept!(Connection);
        Handler.Connected(Connection);
        _isClosed = false;
    }

    /// <summary>Gives the server bytes, cut after these many bytes each time; it must bear what comes although it has paused.</summary>
    public void Give(byte[] bytes, params int[] cuts)
    {
        var at = 0;
        for (var i = 0; at < bytes.Length && Connection.IsOpen; i++)
        {
            var n = Math.Min(i < cuts.Length ? Math.Max(1, cuts[i]) : int.MaxValue, bytes.Length - at);
            var slice = Slice.Copy(bytes.AsSpan(at, n));
            _given.Add(slice);
            Handler.Received(Connection, slice);
            at += n;
            Loop.Run();
        }
    }

    /// <summary>Chooses the export, and forgets what the server said to that.</summary>
    public void Go()
    {
        Give([.. NbdClient.Flags(3), .. NbdClient.Go("tank")]);
        Assert.True(Connection.IsOpen);
        Connection.Forget();
    }

    /// <summary>The client vanishes.</summary>
    public void Vanish()
    {
        Assert.False(_isClosed);
        _isClosed = true;
        Connection.Close("gone");
        Handler.Closed(Connection, "gone");
        Loop.Run();
    }

    /// <summary>Checks that nothing of what was given is still referenced.</summary>
    public void AssertNothingLeaks()
    {
        Assert.All(_given, slice => Assert.Equal(1, slice.Chunk.References));
        Assert.InRange(Volume.Pool.ChunksInUse, 0, 1);
    }

    /// <summary>Takes the replies without data apart: cookie to error.</summary>
    public List<(ulong Cookie, NbdError Error)> Replies()
    {
        var list = new List<(ulong, NbdError)>();
        var bytes = Connection.Sent;
        Assert.Equal(0, bytes.Length % NbdSimpleReply.Size);
        for (var at = 0; at < bytes.Length; at += NbdSimpleReply.Size)
        {
            Assert.True(NbdSimpleReply.TryRead(bytes.AsSpan(at), out var reply));
            list.Add((reply.Cookie, reply.Error));
        }

        return list;
    }

    IListener INetwork.Listen(NodeAddress address, Func<IConnection, IConnectionHandler> accept)
    {
        _accept = accept;
        return new Listener(address with { Port = 1 });
    }

    IConnection INetwork.Connect(NodeAddress address, IConnectionHandler handler, long timeoutMs) => throw new NotSupportedException();

    private sealed class Listener(NodeAddress address) : IListener
    {
        public NodeAddress Address => address;

        public void Close()
        {
        }
    }
}
