using MirrorController.HostAgent.Configuration;
using MirrorController.HostAgent.Control;

namespace MirrorController.Tests.Unit.Cli;

/// <summary>Boards that must not be asked.</summary>
internal sealed class NoBoards : IBoardDirectory
{
    public Task<bool> AnswersAsync(AgentConfiguration agent, AgentBoard board, CancellationToken cancellation) => throw Asked();

    public Task<IReadOnlyList<long>> CreateVolumeAsync(AgentConfiguration agent, VolumeBirth birth, CancellationToken cancellation) => throw Asked();

    public Task<VolumeListModel> ListVolumesAsync(AgentConfiguration agent, CancellationToken cancellation) => throw Asked();

    public Task<TableModel> ReadTableAsync(AgentConfiguration agent, AgentBoard board, CancellationToken cancellation) => throw Asked();

    public Task<RecoveryModel> RecoverAsync(AgentConfiguration agent, CancellationToken cancellation) => throw Asked();

    public Task<VerifyModel> VerifyAsync(AgentConfiguration agent, Action<long, long> progress, CancellationToken cancellation) => throw Asked();

    private static InvalidOperationException Asked() => new("The boards were asked.");
}
