using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using MirrorController.Tests.Harness.Mutants;

namespace MirrorController.Tests.Mutants;

/// <summary>Tries mutants: builds each, and lets the simulator look for it from seed 1 on.</summary>
internal sealed partial class MutantRun(MutantOptions options, TextWriter output)
{
    private const int CauseMax = 170;

    private readonly Lock _lock = new();
    private readonly Dictionary<Mutant, MutantResult> _results = [];
    private readonly List<string> _errors = [];

    /// <summary>Tries mutants and prints the table; returns whether every one was found.</summary>
    /// <param name="mutants">What to try.</param>
    /// <param name="equivalent">What is only told in a table of its own.</param>
    /// <exception cref="FormatException">A mutant does not apply: nothing was run.</exception>
    public bool Run(IReadOnlyList<Mutant> mutants, IReadOnlyList<Mutant> equivalent)
    {
        foreach (var mutant in mutants)
        {
            _ = mutant.Apply(f => File.ReadAllText(Path.Combine(options.Source, f)).ReplaceLineEndings("\n"));
        }

        var folder = Directory.CreateTempSubdirectory("mirror-mutants-");
        try
        {
            var queue = new Queue<Mutant>(mutants);
            var threads = new Thread[Math.Min(options.Jobs, Math.Max(1, mutants.Count))];
            for (var i = 0; i < threads.Length; i++)
            {
                var own = Path.Combine(folder.FullName, i.ToString(CultureInfo.InvariantCulture));
                threads[i] = new Thread(() => Work(queue, own));
                threads[i].Start();
            }

            foreach (var thread in threads)
            {
                thread.Join();
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return Print(mutants, equivalent);
    }

    private void Work(Queue<Mutant> queue, string folder)
    {
        try
        {
            var workshop = new Workshop(options.Source, folder);
            while (true)
            {
                Mutant? mutant;
                lock (_lock)
                {
                    if (!queue.TryDequeue(out mutant))
                    {
                        return;
                    }
                }

                Try(workshop, mutant);
            }
        }
        catch (Exception e) when (e is FormatException or IOException or InvalidOperationException)
        {
            Wrong(e.Message);
        }
    }

    private void Try(Workshop workshop, Mutant mutant)
    {
        try
        {
            workshop.Build(mutant);
        }
        catch (InvalidOperationException e)
        {
            Wrong(e.Message);
            return;
        }

        var seeds = options.Seeds ?? mutant.Seeds ?? MutantOptions.SeedsDefault;
        var clock = Stopwatch.StartNew();
        var threads = Math.Max(1, Environment.ProcessorCount / options.Jobs);
        var said = workshop.Simulate($"--seeds {seeds} --until-failure --no-shrinking", options.Timeout, threads);
        var failure = said is null ? null : FailedSeed().Match(said);
        MutantResult result;
        if (said is null)
        {
            result = new MutantResult(mutant, seeds, clock.Elapsed.TotalSeconds, $"a run that does not end within {options.Timeout.TotalSeconds} s");
        }
        else if (!failure!.Success)
        {
            if (!said.TrimEnd().EndsWith(" 0 failed", StringComparison.Ordinal))
            {
                Wrong($"{mutant.Name}: the simulator ended without a word: {Shortened(said.Trim())}");
                return;
            }

            result = new MutantResult(mutant, seeds, clock.Elapsed.TotalSeconds, null);
        }
        else
        {
            var seed = int.Parse(failure.Groups["seed"].Value, CultureInfo.InvariantCulture);
            var seconds = clock.Elapsed.TotalSeconds;
            // Found is only what the same seed does not find in the product as it is.
            var control = workshop.Simulate($"--from {seed} --seeds 1 --no-shrinking", options.Timeout, threads, unchanged: true);
            if (control is null || !control.TrimEnd().EndsWith("1 seeds, 0 failed", StringComparison.Ordinal))
            {
                Wrong($"{mutant.Name}: seed {seed} fails without it as well.");
                return;
            }

            result = new MutantResult(mutant, seed, seconds, Shortened(failure.Groups["cause"].Value));
        }

        lock (_lock)
        {
            _results[mutant] = result;
            output.WriteLine(result);
            output.Flush();
        }
    }

    private void Wrong(string sentence)
    {
        lock (_lock)
        {
            _errors.Add(sentence);
            output.WriteLine(sentence);
            output.Flush();
        }
    }

    private bool Print(IReadOnlyList<Mutant> mutants, IReadOnlyList<Mutant> equivalent)
    {
        var results = mutants.Where(_results.ContainsKey).Select(m => _results[m]).ToList();
        output.WriteLine();
        output.WriteLine("| rule | mutant | taken out | seeds needed | what was seen |");
        output.WriteLine("| --- | --- | --- | --- | --- |");
        foreach (var result in results)
        {
            output.WriteLine(result.Row);
        }

        if (equivalent.Count > 0)
        {
            output.WriteLine();
            output.WriteLine("| rule | mutant | taken out | why no run can show it |");
            output.WriteLine("| --- | --- | --- | --- |");
            foreach (var mutant in equivalent)
            {
                output.WriteLine($"| {mutant.Rule} | `{mutant.Name}` | {mutant.TakenOut} | {mutant.Equivalent} |");
            }
        }

        output.WriteLine();
        foreach (var error in _errors)
        {
            output.WriteLine(error);
        }

        var found = results.Count(r => r.IsFound);
        output.WriteLine($"{found} found, {results.Count - found} survived");
        return _errors.Count == 0 && found == mutants.Count;
    }

    private static string Shortened(string cause)
    {
        var line = cause.Split('\n')[0].Trim();
        // The story of the block, and the places and moments of the writes, are in the log.
        var story = line.IndexOf(". Block ", StringComparison.Ordinal);
        line = story > 0 ? line[..(story + 1)] : line;
        line = Details().Replace(line, "");
        return line.Length <= CauseMax ? line : line[..CauseMax] + "…";
    }

    [GeneratedRegex(@"^Seed (?<seed>\d+) failed: (?<cause>.*)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex FailedSeed();

    [GeneratedRegex(@"^[A-Za-z.]+Exception: | \(bytes [^)]*\)| issued at \d+(?= returned)|(?<=a read) of \d+\+\d+", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Details();
}
