using System.Diagnostics;
using MirrorController.Tests.Harness.RandomHistory;

namespace MirrorController.Tests.Simulation;

/// <summary>Runs seeds on all cores. Each history is single-threaded and knows nothing of the others, so the order does not matter.</summary>
internal sealed class Simulation(SimulationOptions options, TextWriter output)
{
    private readonly Tally _tally = new();
    private readonly List<HistoryFailedException> _failures = [];
    private readonly Lock _lock = new();
    private long _next;

    /// <summary>Replays one seed and writes its whole log; returns how many failed.</summary>
    public int Replay(ulong seed)
    {
        try
        {
            var history = RandomHistory.Run(seed, options.Members);
            foreach (var line in history.World.Log)
            {
                output.WriteLine(line);
            }

            return 0;
        }
        catch (HistoryFailedException e)
        {
            output.WriteLine(e.Message);
            output.WriteLine($"Seed {e.Seed} failed: {e.Cause}");
            return 1;
        }
    }

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

        foreach (var failure in _failures.OrderBy(f => f.Seed))
        {
            output.WriteLine($"Seed {failure.Seed} failed: {failure.Cause}");
            output.WriteLine($"  its log: {options.ReplayOf(failure.Seed)}");
        }

        foreach (var line in _tally.Lines(clock.Elapsed))
        {
            output.WriteLine(line);
        }

        return (_tally.Seeds, _failures.Count);
    }

    private bool HasFailed()
    {
        lock (_lock)
        {
            return _failures.Count > 0;
        }
    }

    private void Work(Stopwatch clock)
    {
        while ((options.Minutes is not { } minutes || clock.Elapsed.TotalMinutes < minutes) && !(options.UntilFailure && HasFailed()))
        {
            var seed = options.From + (ulong)(Interlocked.Increment(ref _next) - 1);
            if (seed > options.Last)
            {
                return;
            }

            try
            {
                _tally.Add(RandomHistory.Run(seed, options.Members));
            }
            catch (HistoryFailedException e)
            {
                _tally.Add(e.History);
                lock (_lock)
                {
                    _failures.Add(e);
                    output.WriteLine($"Seed {e.Seed} failed.");
                }
            }
        }
    }
}
