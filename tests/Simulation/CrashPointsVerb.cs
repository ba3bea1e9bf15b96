using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using MirrorController.Tests.Harness.CrashPoints;

namespace MirrorController.Tests.Simulation;

/// <summary><c>./simulate --crash-points</c>: short stories, cut at each of their steps, and their recoveries at each of theirs.</summary>
internal sealed class CrashPointsVerb
{
    private readonly Option<bool> _chosen = new("--crash-points") { Description = "cut short stories at each of their steps, and each recovery at each of its own" };
    private readonly Option<string?> _scenario = new("--scenario") { Description = "with --crash-points: one story only: " + string.Join(", ", CrashScenarios.All) };
    private readonly Option<int> _depth = new("--depth") { Description = "with --crash-points: 1, or 2 to cut the recoveries, too", DefaultValueFactory = _ => 2 };
    private readonly Option<int> _oneIn = new("--one-in") { Description = "with --crash-points: of so many second cuts one is made", DefaultValueFactory = _ => 1 };
    private readonly Option<string?> _at = new("--at") { Description = "with --crash-points: one point only, its log printed, like pi-a:17/host:4" };

    /// <summary>Adds the options to the command.</summary>
    public void AddTo(RootCommand root)
    {
        _scenario.Validators.Add(r => Check(r, r.GetValueOrDefault<string?>() is null or "" || CrashScenarios.Find(r.GetValueOrDefault<string>()!) is not null, "there is no such scenario"));
        _depth.Validators.Add(r => Check(r, r.GetValueOrDefault<int>() is 1 or 2, "the depth is 1 or 2"));
        _oneIn.Validators.Add(r => Check(r, r.GetValueOrDefault<int>() >= 1, "one in at least 1"));
        _at.Validators.Add(r => Check(r, r.GetValueOrDefault<string?>() is not { } at || CrashPoint.ParsePath(at) is not null, "a point is like pi-a:17, host:4:silent or all:8:mix, with a slash between two"));
        root.Options.Add(_chosen);
        root.Options.Add(_scenario);
        root.Options.Add(_depth);
        root.Options.Add(_at);
        root.Options.Add(_oneIn);
    }

    /// <summary>Tells whether crash points are asked for.</summary>
    public bool IsChosen(ParseResult parsed) => parsed.GetValue(_chosen) || parsed.GetValue(_at) is not null;

    /// <summary>Runs what is asked for; the last line tells how many failed.</summary>
    public int Run(ParseResult parsed, TextWriter output)
    {
        var scenarios = parsed.GetValue(_scenario) is { } name ? [CrashScenarios.Find(name)!] : CrashScenarios.All;
        if (parsed.GetValue(_at) is { } at)
        {
            return Replay(scenarios[0], CrashPoint.ParsePath(at)!, output);
        }

        var (points, failed) = (0, 0);
        foreach (var scenario in scenarios)
        {
            var clock = Stopwatch.StartNew();
            var report = CrashExplorer.Explore(scenario, new CrashExplorerOptions { Depth = parsed.GetValue(_depth), SecondOneIn = parsed.GetValue(_oneIn) });
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report}, {clock.Elapsed.TotalSeconds:F0} s"));
            foreach (var failure in report.Failures.OrderBy(f => f.Name, StringComparer.Ordinal))
            {
                output.WriteLine($"  failed: {failure.Name}");
                output.WriteLine($"    {failure.Cause.Split(Environment.NewLine)[0]}");
            }

            points += report.Points;
            failed += report.Failures.Count;
        }

        output.WriteLine($"{points} points, {failed} failed");
        return failed == 0 ? 0 : 1;
    }

    private static int Replay(CrashScenario scenario, IReadOnlyList<CrashPoint> path, TextWriter output)
    {
        var failed = 0;
        try
        {
            var run = CrashRun.Run(scenario, path, notesSteps: true);
            foreach (var line in run.Log)
            {
                output.WriteLine(line);
            }

            if (!run.Outcome.WasMet)
            {
                output.WriteLine("The story has no such step.");
                failed = 1;
            }
        }
        catch (CrashPointFailedException e)
        {
            output.WriteLine(e.Message);
            output.WriteLine($"Failed: {e.Cause}");
            failed = 1;
        }

        output.WriteLine($"1 points, {failed} failed");
        return failed;
    }

    private static void Check(System.CommandLine.Parsing.OptionResult result, bool isRight, string sentence)
    {
        if (!isRight)
        {
            result.AddError(sentence);
        }
    }
}
