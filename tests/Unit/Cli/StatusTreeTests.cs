using MirrorController.HostAgent.Cli;
using MirrorController.HostAgent.Control;
using static MirrorController.Tests.Unit.Cli.StatusSamples;

namespace MirrorController.Tests.Unit.Cli;

public sealed class StatusTreeTests
{
    [Fact]
    public void A_healthy_volume_is_a_tree_with_a_line_for_each_member()
    {
        var status = Of(Volume(VolumeState.InSync, Healthy("pi-a", 0), Healthy("pi-b", 1)));

        Assert.Equal(
            [
                "volume tank  IN SYNC  [UU]  2/2 boards in sync  1 GiB   nbd://127.0.0.1:10809/tank",
                "  pi-a  Connected     InSync      fram 3% full",
                "  pi-b  Connected     InSync      fram 3% full",
            ],
            Plain(StatusTree.Lines(status)));
    }

    [Fact]
    public void A_member_that_is_away_is_named_with_reason_and_time()
    {
        var status = Of(Volume(VolumeState.Waiting, Healthy("pi-a", 0), Away("pi-b", 1)) with { WaitingFor = "Board pi-b: silent [3 s]." });

        var lines = Plain(StatusTree.Lines(status));

        Assert.Contains("WAITING  [U_]  1/2 boards in sync", lines[0], StringComparison.Ordinal);
        Assert.Contains("silent for 3 s, since 2026-01-02 03:04:05Z", lines[2], StringComparison.Ordinal);
        Assert.Equal("  waiting: Board pi-b: silent [3 s].", lines[3]);
    }

    [Fact]
    public void Data_at_risk_and_warnings_are_told()
    {
        var status = Of(Volume(VolumeState.InSync, Healthy("pi-a", 0)) with { AtRisk = new AtRiskModel(3 << 20, 40), Warnings = ["The disk is slow."] });

        var lines = Plain(StatusTree.Lines(status));

        Assert.Contains("  at risk: 3 MiB acknowledged and not yet durable, the oldest for 40 ms", lines);
        Assert.Contains("  warning: The disk is slow.", lines);
    }

    [Fact]
    public void Only_what_is_not_healthy_can_be_asked_for()
    {
        var healthy = Of(Volume(VolumeState.InSync, Healthy("pi-a", 0)));
        var degraded = Of(Volume(VolumeState.Waiting, Healthy("pi-a", 0), Away("pi-b", 1)));

        Assert.Equal(["all volumes are healthy"], StatusTree.Lines(healthy, onlyUnhealthy: true));
        Assert.DoesNotContain(StatusTree.Lines(degraded, onlyUnhealthy: true), l => l.Contains("pi-a", StringComparison.Ordinal));
        Assert.Contains(StatusTree.Lines(degraded, onlyUnhealthy: true), l => l.Contains("pi-b", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("InSync", 0)]
    [InlineData("Recovering", 1)]
    [InlineData("Waiting", 1)]
    [InlineData("Failed", 2)]
    [InlineData("SplitBrain", 2)]
    public void The_exit_code_tells_how_the_volume_is(string state, int code) =>
        Assert.Equal(code, StatusVerb.CodeOf(Of(Volume(Enum.Parse<VolumeState>(state), Healthy("pi-a", 0)))));

    private static List<string> Plain(IReadOnlyList<string> markup)
    {
        using var writer = new StringWriter();
        var screen = Screen.Plain(writer, writer);
        foreach (var line in markup)
        {
            screen.Markup(line);
        }

        return [.. writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.TrimEnd())];
    }
}
