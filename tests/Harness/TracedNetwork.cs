using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>A node's network that notes every frame the node receives and changes nothing: the history is the same without it.</summary>
internal sealed class TracedNetwork(SimNodeContext context) : INetwork
{
    public IListener Listen(NodeAddress address, Func<IConnection, IConnectionHandler> accept) =>
        context.Network.Listen(address, connection => new TracedStream(context, accept(connection)));

    public IConnection Connect(NodeAddress address, IConnectionHandler handler, long timeoutMs) =>
        context.Network.Connect(address, new TracedStream(context, handler), timeoutMs);
}
