using System.Diagnostics;
using System.Globalization;
using MirrorController.Tests.Harness.RandomHistory;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>Random histories: applications, faults and recoveries, judged by the consistency checker.</summary>
/// <remarks><c>MC_SEEDS=1000..2000</c> runs other seeds than the fixed ones and tells of every one that fails; <c>MC_STORY=folder</c> keeps their logs.</remarks>
public sealed class RandomHistoryTests(ITestOutputHelper output)
{
    private const ulong FixedSeeds = 80;

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
