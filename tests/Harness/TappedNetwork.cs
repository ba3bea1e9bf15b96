using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>A node's network with a tap in what it receives.</summary>
internal sealed class TappedNetwork(FrameTap tap, SimNodeContext context) : INetwork
{
    public IListener Listen(NodeAddress address, Func<IConnection, IConnectionHandler> accept) =>
        context.Network.Listen(address, connection => tap.Open(context, accept(connection)));

    public IConnection Connect(NodeAddress address, IConnectionHandler handler, long timeoutMs) =>
        context.Network.Connect(address, tap.Open(context, handler), timeoutMs);
}
