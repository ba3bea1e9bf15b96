namespace MirrorController.HostAgent.Rig;

/// <summary>One node of the rig, a board or the agent: its process, and what was done to it.</summary>
/// <remarks>
/// A cut never waits for anything: it hits a node that is just being started, too. Starts of one node follow one
/// another.
/// </remarks>
internal sealed class RigNode : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _starting = new(1, 1);
    private readonly ChildCommand _command;
    private readonly Func<CancellationToken, Task<bool>> _answers;
    private IChild? _child;
    private Task _ended = Task.CompletedTask;
    private bool _closed;
    private ChildExit _exit;

    /// <summary>Makes a node that is off.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="command">What is started.</param>
    /// <param name="answers">Tells whether the process answers.</param>
    public RigNode(string name, ChildCommand command, Func<CancellationToken, Task<bool>> answers)
    {
        Name = name;
        _command = command;
        _answers = answers;
    }

    /// <summary>Gets the node's name.</summary>
    public string Name { get; }

    /// <summary>Gets what its process is doing.</summary>
    public NodeProcess Process { get; private set; } = NodeProcess.Off;

    /// <summary>Gets the process's id; 0 when there is none.</summary>
    public int Pid
    {
        get
        {
            lock (_lock)
            {
                return _child?.Pid ?? 0;
            }
        }
    }

    /// <summary>Gets why it is not running, without a full stop; null when it is.</summary>
    public string? Reason { get; private set; }

    /// <summary>Gets the file with its output.</summary>
    public string LogPath => _command.LogPath;

    /// <summary>Starts the node, or starts it again after a cut; does nothing when it answers already.</summary>
    /// <param name="answerMax">How long to wait until it answers.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <exception cref="IOException">It does not start or does not answer; the message is one sentence.</exception>
    public async Task StartAsync(TimeSpan answerMax, CancellationToken cancellation)
    {
        await _starting.WaitAsync(cancellation);
        try
        {
            await EndDeadAsync();
            if (StartProcess() is not { } child)
            {
                return;
            }

            using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            bound.CancelAfter(answerMax);
            await WaitUntilItAnswersAsync(child, answerMax, cancellation, bound.Token);
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Pulls the node's power: its process dies at once, or with <paramref name="silent"/> stops with its sockets open.</summary>
    public async Task CutAsync(bool silent)
    {
        IChild? child;
        Task ended;
        lock (_lock)
        {
            child = _child;
            ended = _ended;
            if (child is null)
            {
                return;
            }

            // Set before the signal, so that the end is not taken for the process's own doing.
            Process = silent ? NodeProcess.Silent : NodeProcess.Cut;
            Reason = silent ? "it was cut silently" : "its power was cut";
        }

        if (silent)
        {
            child.Stop();
        }
        else
        {
            child.Kill();
            await ended;
        }
    }

    /// <summary>Ends the node cleanly; kills it when it is stopped, or does not end in time.</summary>
    /// <returns>Whether it ended cleanly, or had no process.</returns>
    public async Task<bool> StopAsync(TimeSpan max)
    {
        IChild? child;
        Task ended;
        bool stopped;
        lock (_lock)
        {
            _closed = true;
            child = _child;
            ended = _ended;
            stopped = Process == NodeProcess.Silent;
            if (child is null)
            {
                return true;
            }

            Process = NodeProcess.Off;
            Reason = "it was shut down";
        }

        if (!stopped)
        {
            child.Terminate();
            if (await Task.WhenAny(ended, Task.Delay(max)) == ended)
            {
                return await child.Exited is { Code: 0 };
            }
        }

        child.Kill();
        await ended;
        return false;
    }

    /// <summary>Makes the fault of a node that does not run.</summary>
    public NodeFault NotRunning()
    {
        lock (_lock)
        {
            return new NodeFault($"{Name} does not run: {Reason}.", Process == NodeProcess.Died && _exit.Code == Cli.ExitCode.Unusable);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _starting.Dispose();

    private IChild? StartProcess()
    {
        lock (_lock)
        {
            if (_closed)
            {
                throw new IOException($"{Name} is not started: the rig is going down.");
            }

            if (_child is not null)
            {
                // A process that a former start gave up waiting for is waited for again.
                return Process == NodeProcess.Running ? null : _child;
            }

            var child = Child.Start(_command);
            _child = child;
            Process = NodeProcess.Starting;
            Reason = "it is starting";
            _ended = WatchAsync(child);
            return child;
        }
    }

    /// <summary>Ends what a cut has left: a stopped process, or one that is just dying.</summary>
    private async Task EndDeadAsync()
    {
        IChild? child;
        Task ended;
        lock (_lock)
        {
            child = _child;
            ended = _ended;
            if (child is null || Process is NodeProcess.Starting or NodeProcess.Running)
            {
                return;
            }
        }

        child.Kill();
        await ended;
    }

    private async Task WaitUntilItAnswersAsync(IChild child, TimeSpan max, CancellationToken cancellation, CancellationToken bound)
    {
        while (Process == NodeProcess.Starting && !child.Exited.IsCompleted)
        {
            if (bound.IsCancellationRequested)
            {
                cancellation.ThrowIfCancellationRequested();
                throw new IOException($"{Name} was started and does not answer within {max.TotalSeconds:F0} s; see {LogPath}.");
            }

            if (await AnswersAsync(bound))
            {
                lock (_lock)
                {
                    if (Process == NodeProcess.Starting)
                    {
                        Process = NodeProcess.Running;
                        Reason = null;
                        return;
                    }
                }

                break;
            }

            await Task.WhenAny(child.Exited, Task.Delay(Poll, CancellationToken.None));
        }

        if (child.Exited.IsCompleted)
        {
            await _ended;
        }

        throw NotRunning();
    }

    private async Task<bool> AnswersAsync(CancellationToken bound)
    {
        try
        {
            return await _answers(bound);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task WatchAsync(IChild child)
    {
        var exit = await child.Exited.ConfigureAwait(false);
        lock (_lock)
        {
            if (Process is NodeProcess.Starting or NodeProcess.Running)
            {
                Process = NodeProcess.Died;
                _exit = exit;
                // Whoever was killed has said nothing about it: its last line tells something else.
                Reason = exit.Signal is null && LogTail.LastLine(LogPath) is { } line ? $"it {exit}: {line}" : $"it {exit}; see {LogPath}";
            }

            _child = null;
        }
    }
}
