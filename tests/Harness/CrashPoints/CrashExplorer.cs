using System.Collections.Concurrent;

namespace MirrorController.Tests.Harness.CrashPoints;

/// <summary>Cuts a scenario at each of its steps, and each recovery at each of its own.</summary>
/// <remarks>
/// A second cut follows each *distinct* state that a first one left, not each first cut. Two states are the same when the chips and disks of
/// all boards hold the same, caches and tables of those that live on included, the same nodes lost their power, and the applications had
/// been told the same: what follows then differs in its timing only. States that second cuts leave are judged once each, too. Of a recovery's
/// steps those are cut that leave something else than the step before: every begin and end on a chip or disk, and every frame sent.
/// </remarks>
public sealed class CrashExplorer
{
    private static readonly CrashMode[] _boardModes =
    [
        new(SimCutMedia.Lost), new(SimCutMedia.Mixed, Silent: true), new(SimCutMedia.Kept), new(SimCutMedia.Lost, Silent: true), new(SimCutMedia.Mixed),
    ];

    private static readonly CrashMode[] _hostModes = [new(SimCutMedia.Lost), new(SimCutMedia.Lost, Silent: true)];
    private static readonly CrashMode[] _allModes = [new(SimCutMedia.Lost), new(SimCutMedia.Kept), new(SimCutMedia.Mixed)];

    private readonly CrashScenario _scenario;
    private readonly CrashExplorerOptions _options;
    private readonly CrashReport _report;
    private readonly ParallelOptions _parallel;

    private CrashExplorer(CrashScenario scenario, CrashExplorerOptions options)
    {
        _scenario = scenario;
        _options = options;
        _report = new CrashReport(scenario);
        _parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Threads };
    }

    /// <summary>Explores a scenario.</summary>
    public static CrashReport Explore(CrashScenario scenario, CrashExplorerOptions options)
    {
        var explorer = new CrashExplorer(scenario, options);
        explorer.Explore();
        return explorer._report;
    }

    private void Explore()
    {
        if (Try([], null) is not { } whole)
        {
            return;
        }

        _report.Steps = whole.Steps.GetValueOrDefault(CrashPoint.Everything)?.Count ?? 0;
        var first = FirstCuts(whole, _options.AllModes).ToArray();
        var outcomes = new CrashOutcome?[first.Length];
        _report.FirstPoints = first.Length;
        Parallel.For(0, first.Length, _parallel, i => outcomes[i] = Try([first[i]], null));

        var states = new HashSet<ulong>();
        var second = new List<CrashPoint[]>();
        for (var i = 0; i < first.Length; i++)
        {
            if (outcomes[i] is { WasMet: true } outcome && states.Add(outcome.State) && _options.Depth > 1 && IsFollowed(first[i]))
            {
                second.AddRange(SecondCuts(outcome, turn: states.Count).Select(p => new[] { first[i], p }));
            }
        }

        _report.States = states.Count;
        var known = new ConcurrentDictionary<ulong, bool>();
        Parallel.For(0, second.Count / _options.SecondOneIn, _parallel, i =>
        {
            var outcome = Try(second[i * _options.SecondOneIn], state => known.TryAdd(state, true));
            _report.CountSecond(outcome?.IsNew != false);
        });
    }

    private CrashOutcome? Try(CrashPoint[] path, Func<ulong, bool>? isNew)
    {
        try
        {
            var outcome = CrashRun.Run(_scenario, path, isNew).Outcome;
            if (!outcome.WasMet && path.Length > 0)
            {
                throw new InvalidOperationException($"{CrashRun.NameOf(_scenario, path)} was not met: the same story was not the same.");
            }

            return outcome;
        }
        catch (CrashPointFailedException e)
        {
            _report.Add(e);
            return null;
        }
    }

    /// <summary>Lists first cuts: each victim at each of its steps.</summary>
    private static IEnumerable<CrashPoint> FirstCuts(CrashOutcome story, bool allModes)
    {
        foreach (var (victim, steps) in story.Steps.OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            var modes = ModesOf(victim);
            for (var step = 1; step <= steps.Count; step++)
            {
                for (var m = 0; m < (allModes ? modes.Length : 1); m++)
                {
                    yield return new CrashPoint(victim, step, modes[allModes ? m : step % modes.Length]);
                }
            }
        }
    }

    /// <summary>Lists the cuts of a recovery: each node by itself, and everything; in one way each, by turns.</summary>
    private static IEnumerable<CrashPoint> SecondCuts(CrashOutcome first, int turn)
    {
        foreach (var (victim, steps) in first.Steps.Where(s => s.Key != CrashPoint.AllBoards).OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            var modes = ModesOf(victim);
            for (var step = 1; step <= steps.Count; step++)
            {
                if (steps[step - 1])
                {
                    yield return new CrashPoint(victim, step, modes[(step + turn) % modes.Length]);
                }
            }
        }
    }

    private static CrashMode[] ModesOf(string victim) =>
        victim.StartsWith("host", StringComparison.Ordinal) || victim == "creator" ? _hostModes
        : victim == CrashPoint.Everything ? _allModes
        : _boardModes;

    /// <summary>Whether second cuts follow: those after silent cuts, and after mixtures where one board lives on, are like others that are followed.</summary>
    private static bool IsFollowed(CrashPoint first) =>
        !first.Mode.Silent && (first.Mode.Media != SimCutMedia.Mixed || first.Victim == CrashPoint.Everything);
}
