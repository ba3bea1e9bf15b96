using System.Net.Sockets;
using MirrorController.HostAgent.Configuration;
using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;
using MirrorController.Runtime;

namespace MirrorController.HostAgent.Control;

/// <summary>Asks the boards over the wire, on a loop of its own.</summary>
internal sealed class BoardDirectory : IBoardDirectory, IDisposable
{
    private const long AnswerMsMax = 5000;
    private const long ProbeMsMax = 500;
    private const int BlockBytes = 4096;
    private readonly Lazy<RuntimeLoop> _loop = new(static () =>
    {
        // Nothing here is in a hurry: no spinning.
        var loop = RuntimeLoop.Create(new LoopOptions { SpinMicros = 0 });
        loop.StartThread("boards");
        return loop;
    });

    private readonly SystemRandom _random = new();

    /// <inheritdoc/>
    public async Task<bool> AnswersAsync(AgentConfiguration agent, AgentBoard board, CancellationToken cancellation)
    {
        if (!await ListensAsync(board, cancellation))
        {
            return false;
        }

        try
        {
            return await OnLoop(async loop =>
            {
                using var call = Call(loop, agent, board, HelloRole.Status);
                await call.ConnectAsync(ProbeMsMax);
                return true;
            });
        }
        catch (ControlException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<long>> CreateVolumeAsync(AgentConfiguration agent, VolumeBirth birth, CancellationToken cancellation) =>
        OnLoop(loop => CreateAsync(loop, agent, birth));

    /// <inheritdoc/>
    public Task<VolumeListModel> ListVolumesAsync(AgentConfiguration agent, CancellationToken cancellation) =>
        OnLoop(loop => ListAsync(loop, agent));

    /// <inheritdoc/>
    public Task<TableModel> ReadTableAsync(AgentConfiguration agent, AgentBoard board, CancellationToken cancellation) => OnLoop(async loop =>
    {
        using var call = Call(loop, agent, board, HelloRole.Status);
        var state = await call.ConnectAsync(AnswerMsMax);
        if (state.Condition != BoardCondition.Member)
        {
            throw new ControlException($"Board {board.Name} holds no volume: {state.Reason}");
        }

        return TableMapper.Map(board.Name, await call.AskAsync(Command.Collect));
    });

    /// <inheritdoc/>
    public Task<RecoveryModel> RecoverAsync(AgentConfiguration agent, CancellationToken cancellation) => OnLoop(async loop =>
    {
        await using var authority = new Authority(loop, agent, _random);
        await authority.ReconcileAsync(cancellation);
        return StatusMapper.MapRecovery(authority.Coordinator.LastRecovery) ?? new RecoveryModel(0, 0, 0);
    });

    /// <inheritdoc/>
    public Task<VerifyModel> VerifyAsync(AgentConfiguration agent, Action<long, long> progress, CancellationToken cancellation) => OnLoop(async loop =>
    {
        await using var authority = new Authority(loop, agent, _random);
        await authority.ReconcileAsync(cancellation);
        var recovery = StatusMapper.MapRecovery(authority.Coordinator.LastRecovery) ?? new RecoveryModel(0, 0, 0);
        return await Verifier.RunAsync(authority.Coordinator, progress, cancellation) with { Recovery = recovery };
    });

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_loop.IsValueCreated)
        {
            _loop.Value.Stop();
        }
    }

    /// <summary>The first view's id follows from the volume's: a creation that is repeated makes the same view.</summary>
    private static View FirstView(VolumeId volume, int members, long sizeBytes) =>
        View.First(SessionId.None, volume.Low == 0 ? 1 : volume.Low, MemberSet.Range(members), sizeBytes);

    /// <summary>Section 10a: all boards are checked first, then the members are made; what is there already is completed.</summary>
    private async Task<IReadOnlyList<long>> CreateAsync(RuntimeLoop loop, AgentConfiguration agent, VolumeBirth birth)
    {
        var calls = agent.Boards.Select(b => Call(loop, agent, b, HelloRole.Creator)).ToList();
        try
        {
            await Task.WhenAll(calls.Select(c => c.ConnectAsync(AnswerMsMax)));
            await Task.WhenAll(calls.Select((call, member) => call.AskAsync(Command.Create, Request(agent, birth, member, checkOnly: true))));
            await Task.WhenAll(calls.Select((call, member) => call.AskAsync(Command.Create, Request(agent, birth, member, checkOnly: false))));
            var states = await Task.WhenAll(calls.Select(SurveyAsync));
            return [.. states.Select(s => s.DataOffsetBytes)];
        }
        finally
        {
            calls.ForEach(c => c.Dispose());
        }
    }

    private static WireWriter Request(AgentConfiguration agent, VolumeBirth birth, int member, bool checkOnly)
    {
        var writer = new WireWriter();
        Span<byte> id = stackalloc byte[VolumeId.Size];
        agent.VolumeId.TryWriteBytes(id);
        var volume = VolumeId.Read(id);
        new CreateRequest
        {
            Volume = volume,
            Name = agent.Volume,
            Member = (ushort)member,
            BlockBytes = BlockBytes,
            SizeBytes = birth.SizeBytes,
            CheckOnly = checkOnly,
            Wipe = birth.Wipe,
            View = FirstView(volume, agent.Boards.Count, birth.SizeBytes),
        }.WriteTo(writer);
        return writer;
    }

    private async Task<VolumeListModel> ListAsync(RuntimeLoop loop, AgentConfiguration agent)
    {
        var states = await Task.WhenAll(agent.Boards.Select(async board =>
        {
            using var call = Call(loop, agent, board, HelloRole.Status);
            try
            {
                return (board.Name, State: (BoardState?)await call.ConnectAsync(AnswerMsMax), Fault: "");
            }
            catch (ControlException e)
            {
                return (board.Name, State: null, Fault: e.Message);
            }
        }));
        var size = states.Max(s => s.State is { Condition: BoardCondition.Member } state && state.VolumeName == agent.Volume ? state.SizeBytes : 0);
        return new VolumeListModel([new VolumeListItem(agent.Volume, size, [.. states.Select(s => Item(agent, s.Name, s.State, s.Fault))])]);
    }

    private static VolumeListBoard Item(AgentConfiguration agent, string board, BoardState? state, string fault) => state switch
    {
        null => new VolumeListBoard(board, false, fault.TrimEnd('.')),
        { Condition: BoardCondition.Member } when state.VolumeName == agent.Volume =>
            new VolumeListBoard(board, true, $"member {state.Member} of {state.VolumeName}, {state.Disk}"),
        { Condition: BoardCondition.Member } => new VolumeListBoard(board, false, $"holds a member of another volume, {state.VolumeName}"),
        _ => new VolumeListBoard(board, false, state.Reason.TrimEnd('.')),
    };

    private static async Task<BoardState> SurveyAsync(BoardCall call)
    {
        var answer = await call.AskAsync(Command.Survey);
        return BoardState.Read(new WireReader(answer.Body)) ?? throw new ControlException($"Board {call.Board.Name} sent a malformed state.");
    }

    /// <summary>Whether somebody listens: cheaper than a call, for a process that is just starting.</summary>
    private static async Task<bool> ListensAsync(AgentBoard board, CancellationToken cancellation)
    {
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(board.Address.Host, board.Address.Port, cancellation);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private BoardCall Call(RuntimeLoop loop, AgentConfiguration agent, AgentBoard board, HelloRole role) =>
        new(loop, loop, _random, agent, board, role);

    private Task<T> OnLoop<T>(Func<RuntimeLoop, Task<T>> procedure)
    {
        var loop = _loop.Value;
        return loop.AskAsync(() => procedure(loop));
    }
}
