using System.Net.Sockets;
using MirrorController.HostAgent.Cli;
using MirrorController.HostAgent.Configuration;
using MirrorController.HostAgent.Control;
using MirrorController.Protocol.Seams;

namespace MirrorController.HostAgent.Rig;

/// <summary>Owns the rig's processes: starts boards and agent, cuts and restores them, ends them in order.</summary>
/// <remarks>
/// Requests may come from several callers at once; each node orders what is done to it. The agent starts last and ends
/// first: its last flush needs the boards.
/// </remarks>
internal sealed class RigSupervisor : IDisposable
{
    /// <summary>How long an agent that was told to end may take: it flushes, and gives up by itself when I/O is held.</summary>
    public static readonly TimeSpan AgentEndMax = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan BoardEndMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ServeMax = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ServePoll = TimeSpan.FromMilliseconds(50);
    private readonly RigPaths _paths;
    private readonly IBoardDirectory _directory;
    private readonly IReadOnlyList<RigNode> _boards;
    private readonly RigNode _host;
    private readonly CancellationTokenSource _goingDown = new();
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _up = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _down;

    /// <summary>Makes the supervisor of a rig whose files are written.</summary>
    public RigSupervisor(RigPaths paths, RigState state, IBoardDirectory directory)
    {
        _paths = paths;
        _directory = directory;
        State = state;
        var agent = AgentConfiguration.Read(paths.AgentConfiguration, out var file)
            ?? throw new CliFault(file.FirstFault()!, ExitCode.Usage);
        Agent = agent;
        var board = Programs.Board();
        _boards = [.. agent.Boards.Select(b => new RigNode(
            b.Name,
            Command(b.Name, board, ["--config", paths.Configuration(b.Name)]),
            cancellation => directory.AnswersAsync(agent, b, cancellation)))];
        Client = new ControlClient(agent.HttpUri);
        _host = new RigNode(
            RigPaths.Host,
            Command(RigPaths.Host, Programs.Agent(), ["serve", "--config", paths.AgentConfiguration]),
            async cancellation => await Client.GetStatusAsync(cancellation) is not null);
    }

    /// <summary>Gets what the rig is.</summary>
    public RigState State { get; private set; }

    /// <summary>Gets the agent's configuration.</summary>
    public AgentConfiguration Agent { get; }

    /// <summary>Gets the client of the rig's agent.</summary>
    public ControlClient Client { get; }

    /// <summary>Gets what the agent could not make durable at its end, as a sentence; null when there was nothing.</summary>
    public string? Undurable { get; private set; }

    /// <summary>Gets the task that completes when the rig has gone down; null before somebody asked for it.</summary>
    public Task? Down
    {
        get
        {
            lock (_lock)
            {
                return _down;
            }
        }
    }

    /// <summary>Gets the task that completes when the rig is up, or fails as <see cref="UpAsync"/> does.</summary>
    public Task Up => _up.Task;

    /// <summary>Gets the token that is cancelled when the rig begins to go down.</summary>
    public CancellationToken GoingDown => _goingDown.Token;

    /// <summary>Starts the boards, creates the volume on first use or completes its creation, starts the agent.</summary>
    /// <exception cref="IOException">A node does not start.</exception>
    /// <exception cref="ControlException">The volume cannot be created.</exception>
    public async Task UpAsync(CancellationToken cancellation)
    {
        try
        {
            await StartAllAsync(cancellation);
            _up.SetResult();
        }
        catch (Exception e)
        {
            _up.SetException(e);
            // Nobody may be waiting for it.
            _ = _up.Task.Exception;
            throw;
        }
    }

    /// <summary>Pulls the power of nodes.</summary>
    public Task CutAsync(IReadOnlyList<string> names, bool silent) => Task.WhenAll(Named(names).ConvertAll(n => n.CutAsync(silent)));

    /// <summary>Gives nodes their power back; returns when their processes answer.</summary>
    /// <exception cref="IOException">A node does not start.</exception>
    public Task RestoreAsync(IReadOnlyList<string> names, CancellationToken cancellation)
    {
        var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellation, GoingDown);
        // Boards first: an agent that finds them starts without a pause.
        return Restore();

        async Task Restore()
        {
            using (linked)
            {
                var nodes = Named(names);
                await Task.WhenAll(nodes.Where(n => n != _host).Select(n => n.StartAsync(AnswerMax, linked.Token)));
                await Task.WhenAll(nodes.Where(n => n == _host).Select(n => n.StartAsync(AnswerMax, linked.Token)));
            }
        }
    }

    /// <summary>Ends everything: the agent first (flush, close), then the boards. Whoever asks again waits for the same end.</summary>
    public Task DownAsync()
    {
        lock (_lock)
        {
            return _down ??= Task.Run(EndAsync);
        }
    }

    /// <summary>Gets how the rig is.</summary>
    public RigModel Snapshot() => new()
    {
        Nbd = Agent.NbdUri,
        Http = Agent.HttpUri.ToString().TrimEnd('/'),
        Dir = _paths.Folder,
        Volume = State.Volume,
        SizeBytes = State.SizeBytes,
        Supervisor = Environment.ProcessId,
        Boards = [.. _boards.Zip(State.Boards, (node, board) => new RigBoardModel
        {
            Name = node.Name,
            Pid = node.Pid,
            Dir = _paths.NodeFolder(node.Name),
            DataFile = _paths.Disk(node.Name),
            DataOffset = board.DataOffset,
            Address = board.Listen,
            Log = node.LogPath,
            Process = node.Process,
            Reason = node.Reason,
        })],
        Host = new RigHostModel
        {
            Pid = _host.Pid,
            Config = _paths.AgentConfiguration,
            Log = _host.LogPath,
            Process = _host.Process,
            Reason = _host.Reason,
            Undurable = Undurable,
        },
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var node in _boards)
        {
            node.Dispose();
        }

        _host.Dispose();
        Client.Dispose();
        _goingDown.Dispose();
    }

    private async Task StartAllAsync(CancellationToken cancellation)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellation, GoingDown);
        await Task.WhenAll(_boards.Select(b => b.StartAsync(AnswerMax, linked.Token)));
        if (!State.Created)
        {
            var birth = new VolumeBirth(State.SizeBytes, Wipe: false);
            var offsets = await _directory.CreateVolumeAsync(Agent, birth, linked.Token);
            State = State with
            {
                Created = true,
                Boards = [.. State.Boards.Zip(offsets, (board, offset) => board with { DataOffset = offset })],
            };
            State.Save(_paths);
        }

        try
        {
            await _host.StartAsync(AnswerMax, linked.Token);
            await WaitUntilServedAsync(linked.Token);
        }
        catch (NodeFault e) when (e.Message.Contains($"listen on {Agent.Nbd}:", StringComparison.Ordinal))
        {
            throw new NodeFault(e.Message.TrimEnd('.') + "; choose another address with --nbd.", isUnusable: true);
        }
    }

    private async Task EndAsync()
    {
        await _goingDown.CancelAsync();
        if (await _host.StopAsync(AgentEndMax) && LogTail.LastLine(_host.LogPath) is { } line && line.Contains(AgentNode.NotDurable, StringComparison.Ordinal))
        {
            Undurable = line + ".";
        }

        await Task.WhenAll(_boards.Select(b => b.StopAsync(BoardEndMax)));
    }

    /// <summary>A rig that says 'ready' serves; where a board does not come, it says so after a while and is ready for repairs.</summary>
    private async Task WaitUntilServedAsync(CancellationToken cancellation)
    {
        for (var waited = TimeSpan.Zero; waited < ServeMax; waited += ServePoll)
        {
            if (_host.Process != NodeProcess.Running)
            {
                throw _host.NotRunning();
            }

            var status = await Client.GetStatusAsync(cancellation);
            if (status is not null
                && status.Volumes.All(v => v.State is not VolumeState.Waiting)
                && await AcceptsAsync(Agent.Nbd, cancellation))
            {
                return;
            }

            await Task.Delay(ServePoll, cancellation);
        }
    }

    private static async Task<bool> AcceptsAsync(NodeAddress address, CancellationToken cancellation)
    {
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address.Host is "0.0.0.0" or "::" ? "127.0.0.1" : address.Host, address.Port, cancellation);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private List<RigNode> Named(IReadOnlyList<string> names)
    {
        var all = _boards.Append(_host).ToList();
        var unknown = names.FirstOrDefault(n => !all.Exists(node => node.Name == n));
        return unknown is null
            ? all.FindAll(node => names.Any(n => n == node.Name))
            : throw new CliFault($"This rig has no node {unknown}; it has {string.Join(", ", all.Select(n => n.Name))}.", ExitCode.Usage);
    }

    private ChildCommand Command(string node, string file, IReadOnlyList<string> arguments)
    {
        var environment = Programs.RuntimeEnvironment();
        environment[Leftovers.Mark] = Leftovers.MarkOf(_paths, node);
        return new ChildCommand(file, arguments, environment, _paths.Log(node));
    }
}
