using System.Reflection;
using MirrorController.HostAgent.Configuration;
using MirrorController.Protocol.Coordination;

namespace MirrorController.HostAgent.Control;

/// <summary>Turns the coordinator's account into the model that goes out, and remembers since when members are as they are.</summary>
/// <remarks>For the loop's thread only.</remarks>
internal sealed class StatusMapper(AgentConfiguration agent, TimeProvider time)
{
    private readonly Dictionary<string, (string Sync, DateTimeOffset Since)> _since = new(StringComparer.Ordinal);

    /// <summary>Gets this program's version.</summary>
    public static string Version { get; } =
        (typeof(StatusMapper).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+')[0];

    /// <summary>Makes the model.</summary>
    public StatusModel Map(CoordinatorStatus status) => new()
    {
        Version = Version,
        Volumes =
        [
            new VolumeModel
            {
                Name = status.Volume,
                State = Enum.Parse<VolumeState>(status.State.ToString()),
                SizeBytes = status.SizeBytes,
                Nbd = agent.NbdUri,
                Members = [.. status.Members.Select(Map)],
                LastRecovery = MapRecovery(status.LastRecovery),
                WaitingFor = status.WaitingFor,
                AtRisk = new AtRiskModel(status.AtRiskBytes, status.AtRiskOldestMs),
                Session = status.Session,
                Outlook = Outlook(status),
                Warnings = status.Warnings,
            },
        ],
    };

    /// <summary>Makes the model of a recovery.</summary>
    public static RecoveryModel? MapRecovery(RecoveryResult? result) =>
        result is null ? null : new RecoveryModel(result.PlannedBlocks, result.CopiedBytes, result.Milliseconds);

    private MemberModel Map(MemberStatus member)
    {
        var now = time.GetUtcNow();
        if (member.AwayMs is { } awayMs)
        {
            _since[member.Board] = (member.Sync, now - TimeSpan.FromMilliseconds(awayMs));
        }
        else if (!_since.TryGetValue(member.Board, out var known) || known.Sync != member.Sync)
        {
            _since[member.Board] = (member.Sync, now);
        }

        var state = member.State;
        return new MemberModel
        {
            Board = member.Board,
            Member = member.Member,
            Connection = Enum.Parse<MemberConnection>(member.Connection),
            Sync = Enum.TryParse<MemberSync>(member.Sync, out var sync) ? sync : MemberSync.Unknown,
            Reason = member.Reason?.TrimEnd('.'),
            Since = _since[member.Board].Since,
            NvmKind = state is null ? null : TableMapper.KindOf(state),
            NvmUsedPercent = state is { NvmSizeBytes: > 0 } ? Math.Round(100.0 * state.NvmUsedBytes / state.NvmSizeBytes, 1) : null,
        };
    }

    /// <summary>What a further failure would do: until views are built every member is needed.</summary>
    private static string Outlook(CoordinatorStatus status) => status.State switch
    {
        Protocol.Coordination.VolumeState.Waiting => "I/O is held until the volume is complete again; nothing acknowledged is lost",
        Protocol.Coordination.VolumeState.Failed => "nothing is served any more",
        _ => "a board that fails now holds the volume's I/O until it returns; nothing acknowledged is lost",
    };
}
