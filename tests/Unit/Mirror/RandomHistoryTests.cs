using System.Diagnostics;
using System.Globalization;
using MirrorController.Tests.Harness.RandomHistory;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>Random histories: applications, faults and recoveries, judged by the consistency checker.</summary>
/// <remarks>The simulator runs many more of them (docs/simulation.md). <c>MC_SEEDS=1000..2000</c> runs other seeds than the fixed ones and tells of every one that fails; <c>MC_STORY=folder</c> keeps their logs.</remarks>
public sealed class RandomHistoryTests(ITestOutputHelper output)
{
    private const ulong FixedSeeds = 10;

    [Fact]
    public void Whatever_fails_no_rule_is_broken_and_everything_heals()
    {
        var (from, to) = Seeds();
        var failed = new List<string>();
        var clock = Stopwatch.StartNew();
        long acknowledged = 0;
        long judged = 0;
        for (var seed = from; seed <= to; seed++)
        {
            try
            {
                var history = RandomHistory.Run(seed);
                acknowledged += history.AcknowledgedWrites;
                judged += history.Checker.JudgedSectors;
            }
            catch (HistoryFailedException e)
            {
                failed.Add($"Seed {e.Seed}: {e.Cause}");
                Keep(e);
            }
        }

        output.WriteLine($"{to - from + 1} seeds in {clock.Elapsed.TotalSeconds:F1} s: {acknowledged} writes acknowledged, {judged} sectors judged.");
        Assert.True(acknowledged > 0 && judged > 0);
        Assert.True(failed.Count == 0, $"{failed.Count} of {to - from + 1} seeds failed.{Environment.NewLine}{string.Join(Environment.NewLine, failed)}");
    }

    [Fact]
    public void The_same_seed_makes_the_same_history() =>
        Assert.Equal(RandomHistory.Run(7).World.Log, RandomHistory.Run(7).World.Log);

    [Fact]
    public void A_history_limited_to_all_that_happened_in_it_is_the_same_history()
    {
        var whole = RandomHistory.Run(11);
        var limits = new HistoryLimits
        {
            Faults = HistoryLimits.ParseFaults(HistoryLimits.Format(Enumerable.Range(1, whole.FaultsDrawn))),
            Requests = HistoryLimits.ParseRequests(HistoryLimits.Format(whole.Issued)),
            DurationMs = whole.Plan.DurationMs,
        };

        Assert.True(whole.FaultsDrawn > 0 && whole.Issued.Count > 0);
        Assert.Equal(whole.World.Log, RandomHistory.Run(11, limits: limits).World.Log);
    }

    [Fact]
    public void A_history_without_faults_and_with_one_request_has_just_that()
    {
        var one = RandomHistory.Run(11).Issued[0];
        var limits = new HistoryLimits { Faults = HistoryLimits.ParseFaults("none"), Requests = new HashSet<RequestName> { one } };

        var little = RandomHistory.Run(11, limits: limits);

        Assert.Equal([one], little.Issued);
        Assert.Empty(little.FaultCounts);
    }

    [Fact]
    public void What_is_told_in_a_verbose_log_changes_nothing()
    {
        var brief = RandomHistory.Run(12).World.Log;
        var verbose = RandomHistory.Run(12, isVerbose: true).World.Log;

        var found = 0;
        foreach (var line in verbose)
        {
            found += found < brief.Count && line == brief[found] ? 1 : 0;
        }

        Assert.Equal(brief.Count, found);
        Assert.True(verbose.Count > 2 * brief.Count);
    }

    [Theory]
    [InlineData("1,x")]
    [InlineData("-1")]
    [InlineData("1.2")]
    public void A_list_that_is_none_is_not_read(string text)
    {
        Assert.Null(HistoryLimits.ParseFaults(text));
        Assert.Null(HistoryLimits.ParseRequests(text));
    }

    private static (ulong From, ulong To) Seeds()
    {
        if (Environment.GetEnvironmentVariable("MC_SEEDS") is not { Length: > 0 } range)
        {
            return (1, FixedSeeds);
        }

        var ends = range.Split("..");
        return (ulong.Parse(ends[0], CultureInfo.InvariantCulture), ulong.Parse(ends[^1], CultureInfo.InvariantCulture));
    }

    private static void Keep(HistoryFailedException failure)
    {
        if (Environment.GetEnvironmentVariable("MC_STORY") is { Length: > 0 } folder)
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, $"seed-{failure.Seed}.txt"), failure.Message);
        }
    }
}
