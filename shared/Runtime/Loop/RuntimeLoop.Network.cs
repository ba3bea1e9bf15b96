using System.Net;
using System.Net.Sockets;
using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime;

/// <content>Listening and connecting, and what a back-end has to bring.</content>
public abstract partial class RuntimeLoop
{
    private const int Backlog = 128;

    /// <inheritdoc/>
    public IListener Listen(NodeAddress address, Func<IConnection, IConnectionHandler> accept)
    {
        ArgumentNullException.ThrowIfNull(accept);
        Socket? socket = null;
        try
        {
            var ip = ResolveToListen(address.Host);
            socket = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            // No ReuseAddress: .NET would let a second process share the port. What a restarted board needs, listening
            // again while old connections linger, is in force without it.
            socket.Bind(new IPEndPoint(ip, address.Port));
            socket.Listen(Backlog);
            socket.Blocking = false;
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            throw new IOException($"Cannot listen on {address}: {e.Message}.", e);
        }

        var listener = new SocketListener(this, socket, address.Host, accept);
        Attach(listener);
        return listener;
    }

    /// <inheritdoc/>
    public IConnection Connect(NodeAddress address, IConnectionHandler handler, long timeoutMs)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var connection = new SocketConnection(this, address.ToString(), handler);
        connection.BeginConnect(address, timeoutMs);
        return connection;
    }

    internal void Attach(PollSource source)
    {
        _sources.Add(source);
        AddSource(source);
    }

    internal void Detach(PollSource source)
    {
        if (_sources.Remove(source))
        {
            RemoveSource(source);
        }
    }

    /// <summary>Tells the back-end that what the source wants has changed.</summary>
    internal abstract void InterestChanged(PollSource source);

    /// <summary>Receives at once or not at all; 0 with <see cref="SocketError.Success"/> means that the peer has ended its stream.</summary>
    internal abstract int Receive(SocketConnection connection, Slice into, out SocketError error);

    /// <summary>Sends the queue's front with one vectored call, as far as the system takes it at once.</summary>
    internal abstract int Send(SocketConnection connection, SendQueue queue, out SocketError error);

    private protected void WakeTaken() => Volatile.Write(ref _woken, 0);

    private protected abstract void AddSource(PollSource source);

    private protected abstract void RemoveSource(PollSource source);

    /// <summary>Waits up to the time given (-1: without end) and handles what is ready; true if there was anything.</summary>
    private protected abstract bool Poll(int timeoutMs);

    /// <summary>Ends the wait of <see cref="Poll"/>; any thread may call it.</summary>
    private protected abstract void SignalWake();

    private protected abstract void YieldCore();

    private protected abstract void DisposeBackend();

    private static IPAddress ResolveToListen(string host)
    {
        if (IPAddress.TryParse(host, out var ip))
        {
            return ip;
        }

        // Only at a start, before anything can be held up by it.
        var all = Dns.GetHostAddresses(host);
        return System.Array.Find(all, a => a.AddressFamily == AddressFamily.InterNetwork)
            ?? (all.Length > 0 ? all[0] : throw new SocketException((int)SocketError.HostNotFound));
    }
}
