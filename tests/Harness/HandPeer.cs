using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Harness;

/// <summary>A peer of the boards that a script drives by hand, frame by frame: another host, a board, a creator.</summary>
public sealed class HandPeer : IBoardLinkOwner
{
    private readonly SimCluster _cluster;
    private readonly HelloRole _role;
    private readonly List<BoardLink> _links = [];
    private readonly SimNode _node;

    private HandPeer(SimCluster cluster, string name, HelloRole role)
    {
        _cluster = cluster;
        _role = role;
        _node = new SimNode(cluster.World, name, Start);
    }

    /// <summary>Starts a peer and waits until it has a proven connection to every board that runs.</summary>
    public static HandPeer Start(SimCluster cluster, string name = "hand", HelloRole role = HelloRole.Coordinator)
    {
        var peer = new HandPeer(cluster, name, role);
        peer._node.Start();
        peer.AwaitLinks();
        return peer;
    }

    /// <summary>Ends the peer; its connections are closed.</summary>
    public void Stop() => _node.PowerCut();

    /// <summary>Waits until every board that runs has let this peer in.</summary>
    public void AwaitLinks() =>
        _cluster.World.RunUntil(() => _links.Where((_, i) => _cluster.Boards[i].IsRunning).All(l => l.IsReady), 30_000);

    /// <summary>Gets whether the connection to a board stands.</summary>
    public bool IsConnected(int board) => _links[board].IsReady;

    /// <summary>Begins to ask a board; the task ends while the world runs.</summary>
    public Task<LinkAnswer> Begin(int board, FrameHeader header, WireWriter? body = null)
    {
        var link = _links[board];
        var state = _cluster.Board(board).Describe();
        header.VolumeKey = header.VolumeKey == 0 ? state.Volume.Key : header.VolumeKey;
        header.BootId = header.BootId == 0 ? link.BootId : header.BootId;
        Task<LinkAnswer>? task = null;
        _node.Post(() => task = link.AskAsync(header, body));
        _cluster.World.RunUntil(() => task is not null);
        return task!;
    }

    /// <summary>Asks a board and runs until it has answered.</summary>
    public LinkAnswer Ask(int board, FrameHeader header, WireWriter? body = null, long timeoutMs = 10_000) =>
        Await(Begin(board, header, body), timeoutMs);

    /// <summary>Runs until an answer is there.</summary>
    public LinkAnswer Await(Task<LinkAnswer> answer, long timeoutMs = 10_000)
    {
        _cluster.World.RunUntil(() => answer.IsCompleted, timeoutMs);
        return answer.Result;
    }

    /// <summary>Opens a session on a board, or attaches again.</summary>
    public LinkAnswer Attach(int board, uint number, ulong id) =>
        Ask(board, new FrameHeader { Command = Command.Attach, Session = number }, new WireWriter().U64(id));

    /// <summary>Attaches and tells that there is nothing to replay, so that the board may be read (rule B4).</summary>
    public LinkAnswer AttachAndEndReplay(int board, uint number, ulong id)
    {
        var answer = Attach(board, number, id);
        return answer.IsOk ? Ask(board, new FrameHeader { Command = Command.ReplayDone, Session = number }) : answer;
    }

    Hello IBoardLinkOwner.MakeHello(BoardLink link, byte[] nonce) => new() { Role = _role, VolumeName = SimCluster.VolumeName, Nonce = nonce };

    void IBoardLinkOwner.LinkReady(BoardLink link, BoardState state)
    {
    }

    void IBoardLinkOwner.LinkFrame(BoardLink link, in FrameHeader header, Payload? payload)
    {
    }

    void IBoardLinkOwner.LinkDrained(BoardLink link)
    {
    }

    void IBoardLinkOwner.LinkLost(BoardLink link, string reason)
    {
    }

    private HandPeer Start(SimNodeContext context)
    {
        foreach (var board in _cluster.Options.Boards)
        {
            var link = new BoardLink(
                context.Loop, _cluster.NetworkOf(context), context.Random, context.Log, this, board.Name, board.Address, SimCluster.Secret);
            _links.Add(link);
            link.Start();
        }

        return this;
    }
}
