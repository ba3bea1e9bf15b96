using MirrorController.Protocol.Seams;

namespace MirrorController.HostAgent.Nbd;

/// <summary>Serves volumes to NBD clients: fixed newstyle handshake, simple replies.</summary>
/// <remarks>Everything happens on the loop's thread. A client's misbehaviour ends its own connection only.</remarks>
public sealed class NbdServer(ILoop loop, INetwork network, INodeLog log)
{
    private readonly NbdExports _exports = new();
    private readonly List<IListener> _listeners = [];
    private readonly HashSet<NbdConnection> _connections = [];
    private Action? _stopped;

    /// <summary>Gets the number of clients connected.</summary>
    public int Connections => _connections.Count;

    /// <summary>Gets whether <see cref="Stop"/> was called.</summary>
    public bool IsStopping { get; private set; }

    /// <summary>Offers a volume under its name; a single volume is also the default export.</summary>
    /// <exception cref="ArgumentException">The name is empty, too long or taken.</exception>
    public void Export(IVolume volume) => _exports.Add(volume);

    /// <summary>Listens for clients.</summary>
    /// <returns>The address in force.</returns>
    /// <exception cref="IOException">The address cannot be listened on; the message is one sentence.</exception>
    public NodeAddress Listen(NodeAddress address)
    {
        if (IsStopping)
        {
            throw new InvalidOperationException("The NBD server has been stopped.");
        }

        var listener = network.Listen(address, Accept);
        _listeners.Add(listener);
        return listener.Address;
    }

    /// <summary>Stops listening; each client's outstanding requests are answered, then its connection is closed.</summary>
    /// <param name="stopped">Called when the last connection is closed, never inside this call. A volume that holds its I/O delays it: see <see cref="Abort"/>.</param>
    public void Stop(Action? stopped = null)
    {
        if (IsStopping)
        {
            throw new InvalidOperationException("The NBD server has been stopped already.");
        }

        IsStopping = true;
        _stopped = stopped;
        foreach (var listener in _listeners)
        {
            listener.Close();
        }

        _listeners.Clear();
        foreach (var connection in _connections.ToArray())
        {
            connection.Leave("the server stops");
        }

        if (_connections.Count == 0)
        {
            loop.Post(ReportStopped);
        }
    }

    /// <summary>Closes all connections at once; what is outstanding is not answered.</summary>
    public void Abort()
    {
        foreach (var connection in _connections.ToArray())
        {
            connection.Abort("the server is aborted");
        }
    }

    private IConnectionHandler Accept(IConnection client)
    {
        var connection = new NbdConnection(loop, log, _exports, Gone);
        if (_connections.Count >= NbdConstants.ConnectionsMax)
        {
            log.Warning($"The NBD client {client.Peer} is turned away: {NbdConstants.ConnectionsMax} clients are connected.");
            client.Close("too many clients");
        }

        _connections.Add(connection);
        return connection;
    }

    private void Gone(NbdConnection connection)
    {
        _connections.Remove(connection);
        if (IsStopping && _connections.Count == 0)
        {
            ReportStopped();
        }
    }

    private void ReportStopped()
    {
        var stopped = _stopped;
        _stopped = null;
        stopped?.Invoke();
    }
}
