using MirrorController.HostAgent.Control;

namespace MirrorController.Tests.Unit.Cli;

/// <summary>Status models for tests.</summary>
internal static class StatusSamples
{
    public static StatusModel Of(VolumeModel volume) => new() { Version = "1.2.3", Volumes = [volume] };

    public static VolumeModel Volume(VolumeState state, params MemberModel[] members) => new()
    {
        Name = "tank",
        State = state,
        SizeBytes = 1L << 30,
        Nbd = "nbd://127.0.0.1:10809/tank",
        Members = members,
        AtRisk = new AtRiskModel(0, 0),
        Session = 7,
    };

    public static MemberModel Healthy(string board, int member) => new()
    {
        Board = board,
        Member = member,
        Connection = MemberConnection.Connected,
        Sync = MemberSync.InSync,
        Since = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
        NvmKind = "fram",
        NvmUsedPercent = 3,
    };

    public static MemberModel Away(string board, int member) => Healthy(board, member) with
    {
        Connection = MemberConnection.Disconnected,
        Sync = MemberSync.Away,
        Reason = "silent for 3 s",
    };
}
