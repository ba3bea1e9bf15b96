using MirrorController.Protocol.Seams;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>A caller that connects to a board and says nothing of its own.</summary>
internal sealed class MuteCaller : IConnectionHandler
{
    private readonly SimNode _node;
    private IConnection? _connection;

    public MuteCaller(SimCluster cluster)
    {
        _node = new SimNode(cluster.World, "mute", context => context);
        _node.Start();
        var address = cluster.Options.Boards[0].Address;
        _node.Post(() => ((SimNodeContext)_node.Instance!).Network.Connect(address, this, 1000));
        cluster.World.RunUntil(() => _connection is not null);
    }

    /// <summary>Gets why the connection ended; null while it stands.</summary>
    public string? Closed { get; private set; }

    /// <summary>Gets whether the board has said anything.</summary>
    public bool Answered { get; private set; }

    /// <summary>Sends bytes as they are.</summary>
    public void SendRaw(byte[] bytes) => _node.Post(() =>
    {
        if (bytes.Length > 0)
        {
            var slice = Slice.Copy(bytes);
            _connection!.Send(slice);
            slice.Release();
        }
    });

    void IConnectionHandler.Connected(IConnection connection) => _connection = connection;

    void IConnectionHandler.Received(IConnection connection, Slice slice) => Answered = true;

    void IConnectionHandler.Drained(IConnection connection)
    {
    }

    void IConnectionHandler.Closed(IConnection connection, string reason) => Closed = reason;
}
