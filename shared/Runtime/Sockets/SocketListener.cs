using System.Net;
using System.Net.Sockets;
using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime;

/// <summary>A listening socket of a loop.</summary>
internal sealed class SocketListener : PollSource, IListener
{
    private readonly RuntimeLoop _loop;
    private readonly Func<IConnection, IConnectionHandler> _accept;
    private Socket? _socket;

    public SocketListener(RuntimeLoop loop, Socket socket, string host, Func<IConnection, IConnectionHandler> accept)
    {
        _loop = loop;
        _socket = socket;
        _accept = accept;
        Descriptor = (int)socket.Handle;
        Address = new NodeAddress(host, ((IPEndPoint)socket.LocalEndPoint!).Port);
    }

    public NodeAddress Address { get; }

    public override Socket? Socket => _socket;

    public override bool WantsRead => true;

    public override bool WantsWrite => false;

    public override void Ready(bool readable, bool writable, bool failed)
    {
        if (!readable)
        {
            return;
        }

        Socket accepted;
        try
        {
            accepted = _socket!.Accept();
        }
        catch (SocketException)
        {
            // Who knocked has gone again, or the process has no descriptor left; the next readiness tries again.
            return;
        }

        SocketConnection.Accept(_loop, accepted, _accept);
    }

    public void Close()
    {
        if (_socket is not null)
        {
            _loop.Detach(this);
            Abandon();
        }
    }

    public override void Abandon()
    {
        _socket?.Dispose();
        _socket = null;
    }
}
