using MirrorController.Tests.Harness;
using MirrorController.Tests.Harness.CrashPoints;

namespace MirrorController.Tests.Unit.CrashPoints;

/// <summary>Short stories, cut at each of their steps, and some of their recoveries cut again; all of them: <c>./simulate --crash-points</c>.</summary>
public sealed class CrashPointTests(ITestOutputHelper output)
{
    /// <summary>Of so many second cuts one is made here.</summary>
    private const int SecondOneIn = 400;

    public static TheoryData<string> Scenarios => [.. CrashScenarios.All.Select(s => s.Name)];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public void Wherever_the_power_goes_everything_heals_and_nothing_is_lost(string scenario)
    {
        var options = new CrashExplorerOptions { AllModes = false, SecondOneIn = SecondOneIn, Threads = 1 };
        var report = CrashExplorer.Explore(CrashScenarios.Find(scenario)!, options);
        output.WriteLine(report.ToString());
        Assert.True(report.FirstPoints > 50 && report.States > 20 && report.SecondPoints > 0, report.ToString());
        Assert.True(report.Failures.Count == 0, $"{report}{Environment.NewLine}{(report.Failures.Count > 0 ? report.Failures[0].Message : string.Empty)}");
    }

    [Fact]
    public void The_same_point_makes_the_same_history()
    {
        var scenario = CrashScenarios.Find("two-overlapping")!;
        var path = CrashPoint.ParsePath("pi-a:7:mix:silent/all:5:keep")!;
        Assert.Equal(CrashRun.Run(scenario, path).Log, CrashRun.Run(scenario, path).Log);
    }

    [Theory]
    [InlineData("pi-a:17/host:4")]
    [InlineData("boards:3:mix:silent")]
    [InlineData("all:8:keep")]
    public void A_point_is_read_as_it_is_written(string text) =>
        Assert.Equal(text, CrashPoint.PathText(CrashPoint.ParsePath(text)!));

    [Theory]
    [InlineData("")]
    [InlineData("pi-a")]
    [InlineData("pi-a:0")]
    [InlineData("pi-a:1:loud")]
    [InlineData("pi-a:1/")]
    public void What_is_no_point_is_not_read(string text) => Assert.Null(CrashPoint.ParsePath(text));

    /// <summary>A judge that finds nothing wrong with anything would pass all the others: here the story itself breaks a rule.</summary>
    [Fact]
    public void A_board_that_loses_what_was_flushed_is_found()
    {
        var scenario = new CrashScenario
        {
            Name = "broken",
            FlushesInBackground = false,
            Play = s =>
            {
                s.Await(s.WriteBlocks(2));
                s.Await(s.Flush());
                s.Boards[1].Disk.Poke(s.Cluster.DataOffset + (2 * SimCluster.BlockBytes), new byte[512]);
            },
        };
        var report = CrashExplorer.Explore(scenario, new CrashExplorerOptions { Depth = 1, AllModes = false, Threads = 1 });
        Assert.NotEmpty(report.Failures);
    }
}
