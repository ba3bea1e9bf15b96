using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>A node's access to the simulated network.</summary>
public sealed class SimNetwork(SimLoop loop) : INetwork
{
    public IListener Listen(NodeAddress address, Func<IConnection, IConnectionHandler> accept) =>
        loop.World.Fabric.Listen(loop, address, accept);

    public IConnection Connect(NodeAddress address, IConnectionHandler handler, long timeoutMs)
    {
        if (!address.IsSound)
        {
            throw new ArgumentException($"No host can have the address {address}.", nameof(address));
        }

        var host = address.Host is "localhost" or "127.0.0.1" ? loop.Name : address.Host;
        var connection = new SimConnection(loop, host, address.ToString(), handler);
        connection.BeginConnect(address, timeoutMs);
        return connection;
    }
}
