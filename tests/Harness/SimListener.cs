using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>A listening socket in a simulated world.</summary>
internal sealed class SimListener(SimFabric fabric, SimLoop loop, NodeAddress address, Func<IConnection, IConnectionHandler> accept) : IListener
{
    public SimFabric Fabric { get; } = fabric;

    public SimLoop Loop { get; } = loop;

    public NodeAddress Address { get; } = address;

    public Func<IConnection, IConnectionHandler> AcceptHandler { get; } = accept;

    public bool IsClosed { get; private set; }

    public void Close()
    {
        IsClosed = true;
        Fabric.Remove(this);
    }
}
