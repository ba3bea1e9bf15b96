using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>One question of the operator to one board; asked once, on the first connection.</summary>
internal sealed class OperatorCall : IBoardLinkOwner
{
    private readonly SimNodeContext _context;
    private readonly HelloRole _role;
    private readonly BoardLink _link;
    private Action<OperatorCall>? _begin;

    public OperatorCall(SimNodeContext context, SimCluster cluster, int board, HelloRole role, Action<OperatorCall> begin)
    {
        _context = context;
        _role = role;
        _begin = begin;
        var address = cluster.Options.Boards[board];
        _link = new BoardLink(context.Loop, cluster.NetworkOf(context), context.Random, context.Log, this, address.Name, address.Address, SimCluster.Secret);
        _link.Start();
    }

    /// <summary>Asks, and judges the answer if one comes.</summary>
    public void Ask(FrameHeader question, WireWriter? body, Action<LinkAnswer> judge) => _ = AskAsync(question, body, judge);

    public Hello MakeHello(BoardLink link, byte[] nonce) => new() { Role = _role, VolumeName = SimCluster.VolumeName, Nonce = nonce };

    public void LinkReady(BoardLink link, BoardState state)
    {
        var begin = _begin;
        _begin = null;
        begin?.Invoke(this);
    }

    public void LinkFrame(BoardLink link, in FrameHeader header, Payload? payload)
    {
    }

    public void LinkDrained(BoardLink link)
    {
    }

    public void LinkLost(BoardLink link, string reason)
    {
    }

    private async Task AskAsync(FrameHeader question, WireWriter? body, Action<LinkAnswer> judge)
    {
        var answer = await _link.AskAsync(question, body);
        _context.Node.World.Note($"operator: {question.Command} was answered {(answer.IsOk ? "Ok" : answer.Fault)}");
        _context.Loop.Post(() => judge(answer));
    }
}
