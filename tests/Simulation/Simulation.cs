using System.Diagnostics;
using MirrorController.Tests.Harness.RandomHistory;

namespace MirrorController.Tests.Simulation;

/// <summary>Runs seeds on all cores. Each history is single-threaded and knows nothing of the others, so the order does not matter.</summary>
internal sealed class Simulation(SimulationOptions options, TextWriter output)
{
    /// <summary>One seed in so many is run twice: the same seed makes the same history.</summary>
    private const ulong TwiceEvery = 50;
    private const int ShrunkMax = 5;
    private const int LogLinesMax = 400;

    private readonly Tally _tally = new();
    private readonly List<HistoryFailedException> _failures = [];
    private readonly Lock _lock = new();
    private long _next;

    /// <summary>Replays one seed and writes its whole log; returns how many failed.</summary>
    public int Replay(ulong seed)
    {
        var (history, failure) = RunOne(seed, options.Limits, isVerbose: true);
        foreach (var line in history.World.Log)
        {
            output.WriteLine(line);
        }

        if (failure is not null)
        {
            output.WriteLine(failure.Violation);
            output.WriteLine($"Seed {seed} failed: {failure.Cause}");
        }

        return failure is null ? 0 : 1;
    }

    /// <summary>Gets the changes of a volume's state that were seen.</summary>
    public IReadOnlyCollection<string> Transitions => [.. _tally.Transitions];

    /// <summary>Runs the seeds; returns how many were run and how many failed.</summary>
    public (int Run, int Failed) Run()
    {
        var clock = Stopwatch.StartNew();
        var threads = new Thread[Environment.ProcessorCount];
        for (var i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(() => Work(clock)) { Name = $"simulation {i}" };
            threads[i].Start();
        }

        foreach (var thread in threads)
        {
            thread.Join();
        }

        var elapsed = clock.Elapsed;
        var shown = 0;
        foreach (var failure in _failures.OrderBy(f => f.Seed))
        {
            output.WriteLine($"Seed {failure.Seed} failed: {failure.Cause}");
            if (options.Shrinks && shown++ < ShrunkMax)
            {
                Show(failure);
            }
            else
            {
                output.WriteLine($"  its log: {options.ReplayOf(failure.Seed, HistoryLimits.None)}");
            }
        }

        foreach (var line in _tally.Lines(elapsed))
        {
            output.WriteLine(line);
        }

        return (_tally.Seeds, _failures.Count);
    }

    /// <summary>Shrinks a failure and writes what is left of it.</summary>
    private void Show(HistoryFailedException failure)
    {
        var shrinker = new Shrinker(failure, options.Members);
        var limits = shrinker.Shrink();
        var (history, least) = RunOne(failure.Seed, limits, isVerbose: true);
        output.WriteLine(
            $"  shrunk in {shrinker.Tries} tries to {limits.Faults?.Count ?? failure.History.FaultsDrawn} of {failure.History.FaultsDrawn} faults "
            + $"and {history.Issued.Count} of {failure.History.Issued.Count} requests: {least?.Cause ?? "it does not fail any more"}");
        output.WriteLine($"  its log: {options.ReplayOf(failure.Seed, limits)}");
        var log = history.World.Log;
        if (log.Count > LogLinesMax)
        {
            output.WriteLine($"  ... {log.Count - LogLinesMax} lines");
        }

        foreach (var line in log.Skip(log.Count - LogLinesMax))
        {
            output.WriteLine("  " + line);
        }

        output.WriteLine("  " + least?.Violation.Replace(Environment.NewLine, Environment.NewLine + "  ", StringComparison.Ordinal));
    }

    private void Work(Stopwatch clock)
    {
        while (options.Minutes is not { } minutes || clock.Elapsed.TotalMinutes < minutes)
        {
            var seed = options.From + (ulong)(Interlocked.Increment(ref _next) - 1);
            if (seed > options.Last || (options.UntilFailure && _failures.Count > 0))
            {
                return;
            }

            var (history, failure) = RunOne(seed, HistoryLimits.None, isVerbose: false);
            if (failure is null && seed % TwiceEvery == 0)
            {
                var (again, other) = RunOne(seed, HistoryLimits.None, isVerbose: false);
                failure = other ?? HistoryFailedException.IfDifferent(history, again);
                _tally.AddTwice();
            }

            _tally.Add(history);
            if (failure is not null)
            {
                lock (_lock)
                {
                    _failures.Add(failure);
                    output.WriteLine($"Seed {seed} failed.");
                }
            }
        }
    }

    private (RandomHistory History, HistoryFailedException? Failure) RunOne(ulong seed, HistoryLimits limits, bool isVerbose)
    {
        try
        {
            return (RandomHistory.Run(seed, options.Members, limits, isVerbose), null);
        }
        catch (HistoryFailedException e)
        {
            return (e.History, e);
        }
    }
}
