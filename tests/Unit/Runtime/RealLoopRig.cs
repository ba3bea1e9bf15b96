using System.Net;
using System.Net.Sockets;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

namespace MirrorController.Tests.Unit.Runtime;

/// <summary>A real loop, turned by the test's own thread.</summary>
public sealed class RealLoopRig(LoopBackend backend) : LoopRig
{
    private const long FailureMicros = 30_000_000;
    private readonly List<Socket> _sockets = [];

    public RuntimeLoop Real { get; } = RuntimeLoop.Create(new LoopOptions { Backend = backend });

    public override ILoop Loop => Real;

    public override INetwork Network => Real;

    public override NodeAddress ListenAddress => new("127.0.0.1", 0);

    public override NodeAddress NobodysAddress
    {
        get
        {
            // Bound but not listening: nobody else can take the port meanwhile.
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _sockets.Add(socket);
            return new NodeAddress("127.0.0.1", ((IPEndPoint)socket.LocalEndPoint!).Port);
        }
    }

    /// <summary>A listener that never accepts, its queue full: the system drops what knocks.</summary>
    public override NodeAddress SilentAddress()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        _sockets.Add(listener);
        for (var i = 0; i < 4; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            _sockets.Add(socket);
            Assert.Equal(
                SocketError.WouldBlock,
                Assert.Throws<SocketException>(() => socket.Connect(listener.LocalEndPoint!)).SocketErrorCode);
        }

        return new NodeAddress("127.0.0.1", ((IPEndPoint)listener.LocalEndPoint!).Port);
    }

    public override void RunUntil(Func<bool> condition)
    {
        var end = Loop.NowMicros + FailureMicros;
        void Look()
        {
            if (condition())
            {
                Real.Stop();
                return;
            }

            Assert.True(Loop.NowMicros < end, "what the test waits for does not happen");
            Loop.StartTimer(1, Look);
        }

        Loop.Post(Look);
        Real.Run();
    }

    public override void Dispose()
    {
        Real.Dispose();
        foreach (var socket in _sockets)
        {
            socket.Dispose();
        }
    }
}
