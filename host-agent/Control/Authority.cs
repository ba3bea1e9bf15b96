using MirrorController.HostAgent.Configuration;
using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

namespace MirrorController.HostAgent.Control;

/// <summary>The synchronisation authority by hand: opens a session, reconciles, and ends; it serves nobody.</summary>
internal sealed class Authority : IAsyncDisposable
{
    /// <summary>How long a board may keep everything waiting, in milliseconds.</summary>
    private const long BlockedMsMax = 5000;

    /// <summary>How long an opening may take that no board blocks, in milliseconds.</summary>
    private const long StuckMsMax = 15_000;

    private const long PollMs = 50;
    private const long StopMsMax = 5000;
    private readonly RuntimeLoop _loop;
    private readonly LoopSignal _signal;

    /// <summary>Makes an authority that does nothing yet.</summary>
    public Authority(RuntimeLoop loop, AgentConfiguration agent, IRandomSource random)
    {
        _loop = loop;
        _signal = new LoopSignal(loop);
        Coordinator = new Coordinator(loop, loop, random, new ConsoleLog(NodeLogLevel.Error), new CoordinatorOptions
        {
            Volume = agent.Volume,
            Boards = [.. agent.Boards.Select(b => new BoardAddress(b.Name, b.Address, b.PeerAddress))],
            Secret = agent.Secret,
            GraceMs = agent.GraceMs,
            AuthorityOnly = true,
        });
    }

    /// <summary>Gets the node that does the work.</summary>
    public Coordinator Coordinator { get; }

    /// <summary>Opens and reconciles; returns when all members are equal.</summary>
    /// <exception cref="ControlException">A member is missing or refused, or another session has taken over.</exception>
    public async Task ReconcileAsync(CancellationToken cancellation)
    {
        Coordinator.Start();
        var done = Coordinator.WaitInSyncAsync();
        var waitingSince = _loop.NowMicros;
        while (!done.IsCompleted)
        {
            cancellation.ThrowIfCancellationRequested();
            await Task.WhenAny(done, _signal.DelayAsync(PollMs));
            var status = Coordinator.Describe();
            if (status.State != Protocol.Coordination.VolumeState.Waiting)
            {
                waitingSince = _loop.NowMicros;
            }
            else if (_loop.NowMicros - waitingSince > (status.Members.Any(m => m.Reason is not null) ? BlockedMsMax : StuckMsMax) * 1000)
            {
                throw new ControlException($"{status.WaitingFor} Nothing can be compared before all boards take part.", nobodyAnswers: true);
            }
        }

        if (!await done)
        {
            throw new ControlException(Coordinator.FencedReason ?? "The authority was ended.");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await Coordinator.StopAsync(StopMsMax);
}
