using System.Diagnostics;

namespace MirrorController.Tests.Fuzz.Engine;

/// <summary>Looks for new ways through one target for a while: keeps each input that takes one, and damages those further.</summary>
internal sealed class FuzzWorker(FuzzTarget target)
{
    /// <summary>The line with which a worker tells its end: runs, failures.</summary>
    public const string ResultMark = "result ";

    private const int FailuresMax = 10;
    private const int RecentMax = 32;
    private const int ReportEveryMs = 30_000;
    private const int LookEveryMs = 250;

    private readonly FuzzRun _run = new(target);
    private readonly TraceMap _map = new();
    private readonly List<byte[]> _corpus = [];
    private readonly HashSet<string> _failures = [];
    private readonly string _folder = FuzzPlaces.Corpus(target);
    private long _runs;
    private volatile bool _isEnding;

    /// <summary>Works; returns when the time is over or an input hangs.</summary>
    public void Work(TimeSpan time)
    {
        var thread = new Thread(Loop) { IsBackground = true, Name = target.Name };
        var clock = Stopwatch.StartNew();
        var reported = 0L;
        thread.Start();
        while (!thread.Join(LookEveryMs))
        {
            _isEnding = clock.Elapsed > time;
            if (_run.IsHanging && _run.Current is { } input)
            {
                Tell(new FuzzFailedException(target, input, $"one input has taken longer than {FuzzRun.HangMs / 1000} s."), "hang");
                break;
            }

            if (clock.ElapsedMilliseconds - reported > ReportEveryMs)
            {
                reported = clock.ElapsedMilliseconds;
                Console.WriteLine($"{target.Name}: {Interlocked.Read(ref _runs)} runs, {_map.Branches} branches, {_corpus.Count} inputs kept, at most {_run.AllocatedMax / 1024} KiB a run");
            }
        }

        Console.WriteLine($"{target.Name}: {_runs} runs, {_run.Decoded} decoded, {_map.Branches} branches, {_corpus.Count} inputs kept, at most {_run.AllocatedMax / 1024} KiB a run");
        Console.WriteLine($"{ResultMark}{_runs} {_failures.Count}");
    }

    private void Loop()
    {
        using var running = new RunningInput(target);
        var stored = Directory.EnumerateFiles(_folder).Order(StringComparer.Ordinal).Select(File.ReadAllBytes);
        foreach (var input in target.Seeds().Concat(stored.ToList()).TakeWhile(_ => !_isEnding))
        {
            if (Try(running, input) || _corpus.Count == 0)
            {
                _corpus.Add(input);
            }
        }

        var random = new Random();
        var mutator = new Mutator(target, _corpus, (ulong)random.NextInt64());
        while (!_isEnding && _failures.Count < FailuresMax)
        {
            var input = random.Next(64) == 0 ? mutator.Anything() : mutator.Damaged(Pick(random));
            if (Try(running, input))
            {
                _corpus.Add(input);
                File.WriteAllBytes(Path.Combine(_folder, NameOf(input)), input);
            }
        }
    }

    private byte[] Pick(Random random) =>
        _corpus[random.Next(2) == 0 ? random.Next(_corpus.Count) : random.Next(Math.Max(0, _corpus.Count - RecentMax), _corpus.Count)];

    private bool Try(RunningInput running, byte[] input)
    {
        _map.Clear();
        running.Begin(input);
        try
        {
            _run.Take(input);
        }
        catch (FuzzFailedException failure)
        {
            Tell(failure, Where(failure));
            _map.TakeIn();
            return false;
        }
        finally
        {
            running.End();
            Interlocked.Increment(ref _runs);
        }

        return _map.TakeIn();
    }

    private void Tell(FuzzFailedException failure, string where)
    {
        if (_failures.Add(where))
        {
            Console.WriteLine($"FAILED {failure.Message} See it again with: ./fuzz {target.Name} --input {FuzzWatch.Keep(FuzzPlaces.Failures, failure)}");
        }
    }

    /// <summary>The same exception from the same line is one failure.</summary>
    private static string Where(FuzzFailedException failure)
    {
        var innermost = failure.GetBaseException();
        return innermost.GetType().Name + innermost.StackTrace?.Split('\n').FirstOrDefault(l => l.Contains("MirrorController", StringComparison.Ordinal));
    }

    private static string NameOf(byte[] input) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(input).AsSpan(0, 8));
}
