using System.CommandLine;
using MirrorController.Tests.Harness.RandomHistory;
using MirrorController.Tests.Simulation.Coverage;

namespace MirrorController.Tests.Simulation;

/// <summary>The command line.</summary>
public static class SimulateCommand
{
    private const int UsageError = 64;

    /// <summary>Runs it; returns the exit code.</summary>
    public static int Run(string[] args)
    {
        var seed = new Option<ulong?>("--seed") { Description = "replay one seed and print its whole log" };
        var faults = new Option<string?>("--faults") { Description = "with --seed: only these faults happen, for example 3,7, or none" };
        var requests = new Option<string?>("--requests") { Description = "with --seed: only these requests are issued, for example 1.2.17, or none" };
        var duration = new Option<long?>("--duration") { Description = "with --seed: milliseconds until applications and faults end" };
        var from = new Option<ulong>("--from") { Description = "the first seed of a run", DefaultValueFactory = _ => 1 };
        var seeds = new Option<int?>("--seeds") { Description = $"how many seeds (default {SimulationOptions.SeedsDefault}, or as many as the minutes allow)" };
        var minutes = new Option<double?>("--minutes") { Description = "how long at most" };
        var members = new Option<int?>("--members") { Description = "boards of a volume, 2 to 5 (default: what each seed draws)" };
        var untilFailure = new Option<bool>("--until-failure") { Description = "end with the first failing seed" };
        var noShrinking = new Option<bool>("--no-shrinking") { Description = "do not look for a smaller history that fails in the same way" };
        var coverage = new Option<bool>("--coverage") { Description = "tell which rules, transitions and refusals no seed has reached; exit 1 if there is one" };
        var statements = new Option<bool>("--statements") { Description = "with --coverage: tell also which statements of the nodes' code no seed has reached" };
        var witness = new Option<bool>("--witness") { Description = "add a witness (a later version: a witness votes on views, and views are not built yet)" };
        seeds.Validators.Add(r => Check(r, r.GetValueOrDefault<int?>() is null or > 0, "a number of seeds is at least 1"));
        minutes.Validators.Add(r => Check(r, r.GetValueOrDefault<double?>() is null or > 0, "a time is more than 0 minutes"));
        duration.Validators.Add(r => Check(r, r.GetValueOrDefault<long?>() is null or > 0, "a duration is more than 0 milliseconds"));
        members.Validators.Add(r => Check(r, r.GetValueOrDefault<int?>() is null or (>= 2 and <= 5), "a volume has 2 to 5 boards here"));
        faults.Validators.Add(r => Check(r, r.GetValueOrDefault<string?>() is not { } text || HistoryLimits.ParseFaults(text) is not null, "faults are numbers such as 3,7, or none"));
        requests.Validators.Add(r => Check(
            r, r.GetValueOrDefault<string?>() is not { } text || HistoryLimits.ParseRequests(text) is not null, "requests are names such as 1.2.17,1.1.4, or none"));
        witness.Validators.Add(r => Check(r, !r.GetValueOrDefault<bool>(), "a witness votes on views, and views are not built yet"));
        var root = new RootCommand("Simulates hosts, boards, disks, chips and a network in virtual time, lets everything fail, and judges what is left. A seed decides everything.")
        {
            seed, faults, requests, duration, from, seeds, minutes, members, untilFailure, noShrinking, coverage, statements, witness,
        };
        var crashPoints = new CrashPointsVerb();
        crashPoints.AddTo(root);
        root.SetAction(parsed =>
        {
            if (crashPoints.IsChosen(parsed))
            {
                return crashPoints.Run(parsed, Console.Out);
            }

            var options = new SimulationOptions
            {
                Seed = parsed.GetValue(seed),
                Limits = new HistoryLimits
                {
                    Faults = parsed.GetValue(faults) is { } f ? HistoryLimits.ParseFaults(f) : null,
                    Requests = parsed.GetValue(requests) is { } r ? HistoryLimits.ParseRequests(r) : null,
                    DurationMs = parsed.GetValue(duration),
                },
                From = parsed.GetValue(from),
                Seeds = parsed.GetValue(seeds) ?? (parsed.GetValue(minutes) is null ? SimulationOptions.SeedsDefault : null),
                Minutes = parsed.GetValue(minutes),
                Members = parsed.GetValue(members),
                UntilFailure = parsed.GetValue(untilFailure),
                Shrinks = !parsed.GetValue(noShrinking),
            };
            var simulation = new Simulation(options, Console.Out);
            var (run, failed) = options.Seed is { } one ? (1, simulation.Replay(one)) : simulation.Run();
            var missing = parsed.GetValue(coverage) ? new CoverageReport(Console.Out, simulation.Transitions, parsed.GetValue(statements)).Write() : 0;
            Console.WriteLine($"{run} seeds, {failed} failed");
            return failed == 0 && missing == 0 ? 0 : 1;
        });
        var command = root.Parse(args);
        if (command.Errors.Count > 0)
        {
            Console.Error.WriteLine($"simulate: {command.Errors[0].Message.TrimEnd('.')}; see --help.");
            return UsageError;
        }

        return command.Invoke();
    }

    private static void Check(System.CommandLine.Parsing.OptionResult result, bool isRight, string sentence)
    {
        if (!isRight)
        {
            result.AddError(sentence);
        }
    }
}
