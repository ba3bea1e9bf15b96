using MirrorController.HostAgent.Configuration;
using MirrorController.HostAgent.Nbd;
using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

namespace MirrorController.HostAgent.Control;

/// <summary>The host agent: one loop with the coordinator and the NBD server on it.</summary>
/// <remarks>Requests from other threads are posted to the loop and completed from there.</remarks>
internal sealed class AgentNode : IAgentControl, IDisposable
{
    /// <summary>How long clients may take for their last answers once the agent ends, in milliseconds; held I/O is given up then.</summary>
    private const long LeaveMsMax = 3000;

    /// <summary>How long the last flush may take, in milliseconds.</summary>
    private const long FlushMsMax = 5000;

    /// <summary>How long a fenced agent goes on to answer with errors before it ends, in milliseconds.</summary>
    private const long FencedAnswersMs = 500;

    /// <summary>The words of the agent's last line by which the rig knows what was left to the next opening.</summary>
    public const string NotDurable = "are not durable";

    private const long OpeningPollMs = 10;
    private const long StatusPollMs = 1000;
    private readonly AgentConfiguration _agent;
    private readonly INodeLog _log;
    private readonly RuntimeLoop _loop;
    private readonly Coordinator _coordinator;
    private readonly NbdServer _nbd;
    private readonly StatusMapper _status;
    private readonly LoopSignal _signal;
    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Thread? _thread;
    private bool _ending;

    /// <summary>Makes an agent that does nothing yet.</summary>
    public AgentNode(AgentConfiguration agent, INodeLog log)
    {
        _agent = agent;
        _log = log;
        _loop = RuntimeLoop.Create(new LoopOptions { OnFatal = Die });
        _signal = new LoopSignal(_loop);
        _status = new StatusMapper(agent, TimeProvider.System);
        _coordinator = new Coordinator(_loop, _loop, new SystemRandom(), log, new CoordinatorOptions
        {
            Volume = agent.Volume,
            Boards = [.. agent.Boards.Select(b => new BoardAddress(b.Name, b.Address, b.PeerAddress))],
            Secret = agent.Secret,
            GraceMs = agent.GraceMs,
        })
        {
            OnFenced = sentence => Post(() => EndFencedAsync(sentence)),
        };
        _nbd = new NbdServer(_loop, _loop, log);
    }

    /// <summary>Gets the task that completes with the exit code when the agent has ended.</summary>
    public Task<int> Ended => _ended.Task;

    /// <summary>Begins to open the volume and to serve it.</summary>
    /// <exception cref="IOException">The NBD address cannot be listened on; the message is one sentence.</exception>
    public void Start()
    {
        // Clients are let in when a board has told the volume's size; until it is open their requests wait. That the address is free is known now.
        _loop.Listen(_agent.Nbd, _ => throw new InvalidOperationException("Nobody is let in before the volume is open.")).Close();
        _loop.Post(() =>
        {
            _coordinator.Start();
            Post(ServeWhenOpenAsync);
            Post(WatchAsync);
        });
        _thread = _loop.StartThread("agent");
    }

    /// <inheritdoc/>
    public Task<StatusModel> GetStatusAsync(CancellationToken cancellation) =>
        _loop.AskAsync(() => Task.FromResult(_status.Map(_coordinator.Describe()))).WaitAsync(cancellation);

    /// <inheritdoc/>
    public async Task<VerifyModel> VerifyAsync(string volume, Action<long, long> progress, CancellationToken cancellation)
    {
        if (volume != _agent.Volume)
        {
            throw new ControlException($"There is no volume {volume} here; there is {_agent.Volume}.");
        }

        return await _loop.AskAsync(() => Verifier.RunAsync(_coordinator, progress, cancellation));
    }

    /// <inheritdoc/>
    public void BeginShutdown() => Post(EndAsync);

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop.Stop();
        _thread?.Join();
        _loop.Dispose();
    }

    private async Task ServeWhenOpenAsync()
    {
        while (_coordinator.Phase == CoordinatorPhase.Opening && _coordinator.SizeBytes == 0)
        {
            await _signal.ChangedOrAfterAsync(OpeningPollMs);
        }

        if (_ending || _coordinator.Phase is CoordinatorPhase.Fenced or CoordinatorPhase.Stopped)
        {
            return;
        }

        try
        {
            _nbd.Export(_coordinator);
            _nbd.Listen(_agent.Nbd);
            _log.Info($"Volume {_agent.Volume} is served at {_agent.NbdUri}.");
        }
        catch (IOException e)
        {
            _log.Error(e.Message);
            End(Cli.ExitCode.Unusable);
        }
    }

    /// <summary>Looks now and then, so that 'since when' and the chips' fill are known when somebody asks.</summary>
    private async Task WatchAsync()
    {
        while (!_ending)
        {
            _status.Map(_coordinator.Describe());
            _coordinator.RefreshChips();
            await _signal.ChangedOrAfterAsync(StatusPollMs);
        }
    }

    /// <summary>The clean end: clients get their answers, then the last flush, then the links close. Bounded, since I/O may be held.</summary>
    private async Task EndAsync()
    {
        if (_ending)
        {
            return;
        }

        _ending = true;
        _log.Info("The agent ends: the clients get their answers, then the boards make everything durable.");
        await LeaveClientsAsync(LeaveMsMax);
        var atRisk = 0L;
        await StopCoordinatorAsync();
        if (atRisk > 0)
        {
            _log.Warning($"{atRisk} bytes that were acknowledged {NotDurable} on all boards; the next opening recovers them from the boards' tables.");
        }

        End(Cli.ExitCode.Done);

        async Task StopCoordinatorAsync()
        {
            var stopping = _coordinator.StopAsync(FlushMsMax);
            while (!stopping.IsCompleted)
            {
                atRisk = _coordinator.Describe().AtRiskBytes;
                await Task.WhenAny(stopping, _signal.DelayAsync(OpeningPollMs));
            }

            await stopping;
        }
    }

    /// <summary>The end after another session has the volume: errors to everybody, exit 2.</summary>
    private async Task EndFencedAsync(string sentence)
    {
        if (_ending)
        {
            return;
        }

        _ending = true;
        await _signal.DelayAsync(FencedAnswersMs);
        await LeaveClientsAsync(LeaveMsMax);
        _coordinator.Abandon();
        _log.Error(sentence);
        End(Cli.ExitCode.Unusable);
    }

    private async Task LeaveClientsAsync(long boundMs)
    {
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _nbd.Stop(left.SetResult);
        if (await Task.WhenAny(left.Task, _signal.DelayAsync(boundMs)) != left.Task)
        {
            _log.Warning($"{_nbd.Connections} NBD clients wait for held I/O; their connections are closed without an answer.");
            _nbd.Abort();
        }
    }

    private void Post(Func<Task> procedure) => _loop.Post(() => Guard(procedure()));

    /// <summary>An exception of a procedure is a bug and ends the loop, instead of vanishing in a task.</summary>
    private async void Guard(Task procedure)
    {
        try
        {
            await procedure;
        }
        catch (Exception e)
        {
            _loop.Post(System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(e).Throw);
        }
    }

    private void End(int exitCode)
    {
        _ending = true;
        _ended.TrySetResult(exitCode);
    }

    private void Die(Exception e)
    {
        _log.Error($"The agent halts, a bug was found: {e}");
        _ended.TrySetResult(Cli.ExitCode.Unusable);
    }
}
