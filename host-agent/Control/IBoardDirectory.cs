using MirrorController.HostAgent.Configuration;

namespace MirrorController.HostAgent.Control;

/// <summary>What is asked of the boards themselves, without an agent: creation, tables, and the authority by hand.</summary>
/// <remarks>Every fault a board or the wire can cause is a <see cref="ControlException"/> with one sentence that names the board.</remarks>
internal interface IBoardDirectory
{
    /// <summary>Tells whether a board answers on the wire; it never attaches.</summary>
    Task<bool> AnswersAsync(AgentConfiguration agent, AgentBoard board, CancellationToken cancellation);

    /// <summary>Creates a volume on all boards of the configuration, or completes a half-made one of the same id.</summary>
    /// <returns>For each board in the configuration's order, the offset at which the data begins on its disk.</returns>
    Task<IReadOnlyList<long>> CreateVolumeAsync(AgentConfiguration agent, VolumeBirth birth, CancellationToken cancellation);

    /// <summary>Asks the boards which volumes they hold.</summary>
    Task<VolumeListModel> ListVolumesAsync(AgentConfiguration agent, CancellationToken cancellation);

    /// <summary>Reads a board's tag table.</summary>
    Task<TableModel> ReadTableAsync(AgentConfiguration agent, AgentBoard board, CancellationToken cancellation);

    /// <summary>Opens the volume as authority, reconciles, and ends (R1 to R7).</summary>
    Task<RecoveryModel> RecoverAsync(AgentConfiguration agent, CancellationToken cancellation);

    /// <summary>Opens the volume as authority, reconciles, compares the members, and ends.</summary>
    Task<VerifyModel> VerifyAsync(AgentConfiguration agent, Action<long, long> progress, CancellationToken cancellation);
}

/// <summary>What a new volume is to be; its name and identity are the configuration's.</summary>
/// <param name="SizeBytes">Its size in bytes, a multiple of the block.</param>
/// <param name="Wipe">Whether a chip or disk with foreign content may be overwritten; another volume's never is.</param>
internal sealed record VolumeBirth(long SizeBytes, bool Wipe);
