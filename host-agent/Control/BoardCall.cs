using MirrorController.HostAgent.Configuration;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.HostAgent.Control;

/// <summary>A short conversation with one board, as somebody who looks or who creates; it never attaches.</summary>
/// <remarks>For the loop's thread only.</remarks>
internal sealed class BoardCall : IBoardLinkOwner, IDisposable
{
    private readonly BoardLink _link;
    private readonly ILoop _loop;
    private readonly HelloRole _role;
    private readonly string _volume;
    private readonly TaskCompletionSource<BoardState> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Makes a call; <see cref="ConnectAsync"/> begins it.</summary>
    public BoardCall(ILoop loop, INetwork network, IRandomSource random, AgentConfiguration agent, AgentBoard board, HelloRole role)
    {
        _loop = loop;
        _role = role;
        _volume = agent.Volume;
        Board = board;
        _link = new BoardLink(loop, network, random, new SilentLog(), this, board.Name, board.Address, agent.Secret) { ExpectsName = true };
    }

    /// <summary>Gets the board.</summary>
    public AgentBoard Board { get; }

    /// <summary>Connects and waits until the secret is proven in both directions.</summary>
    /// <returns>The board's state.</returns>
    /// <exception cref="ControlException">The board refuses, or does not answer in time.</exception>
    public async Task<BoardState> ConnectAsync(long timeoutMs)
    {
        var timer = _loop.StartTimer(timeoutMs, () => _ready.TrySetException(
            new ControlException($"Board {Board.Name} at {Board.Address} does not answer: {_link.Reason}.", nobodyAnswers: true)));
        _link.Start();
        try
        {
            return await _ready.Task;
        }
        finally
        {
            timer.Cancel();
        }
    }

    /// <summary>Asks the board.</summary>
    /// <exception cref="ControlException">The board refuses, or the connection is lost.</exception>
    public async Task<LinkAnswer> AskAsync(Command command, WireWriter? body = null)
    {
        var answer = await _link.AskAsync(new FrameHeader { Command = command }, body);
        if (answer.IsOk)
        {
            return answer;
        }

        var fault = answer.Fault.TrimEnd('.') + ".";
        throw new ControlException(fault.StartsWith("Board ", StringComparison.Ordinal) ? fault : $"Board {Board.Name}: {fault}");
    }

    /// <summary>Hangs up.</summary>
    public void Dispose()
    {
        _link.Stop();
        _ready.TrySetCanceled();
    }

    Hello IBoardLinkOwner.MakeHello(BoardLink link, byte[] nonce) => new() { Role = _role, VolumeName = _volume, Nonce = nonce };

    void IBoardLinkOwner.LinkReady(BoardLink link, BoardState state) => _ready.TrySetResult(state);

    void IBoardLinkOwner.LinkFrame(BoardLink link, in FrameHeader header, Payload? payload)
    {
        // Whoever only asks is sent nothing else.
    }

    void IBoardLinkOwner.LinkDrained(BoardLink link)
    {
    }

    void IBoardLinkOwner.LinkLost(BoardLink link, string reason)
    {
        if (link.WasRefused)
        {
            _ready.TrySetException(new ControlException($"Board {Board.Name} at {Board.Address}: {reason.TrimEnd('.')}."));
        }
    }

    /// <summary>What goes wrong is the caller's sentence already.</summary>
    private sealed class SilentLog : INodeLog
    {
        public void Write(NodeLogLevel level, string sentence)
        {
        }
    }
}
