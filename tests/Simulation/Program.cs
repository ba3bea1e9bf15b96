using System.CommandLine;
using MirrorController.Tests.Simulation;

const int UsageError = 64;

var seed = new Option<ulong?>("--seed") { Description = "replay one seed and print its whole log" };
var from = new Option<ulong>("--from") { Description = "the first seed of a run", DefaultValueFactory = _ => 1 };
var seeds = new Option<int?>("--seeds") { Description = $"how many seeds (default {SimulationOptions.SeedsDefault}, or as many as the minutes allow)" };
var minutes = new Option<double?>("--minutes") { Description = "how long at most" };
var members = new Option<int?>("--members") { Description = "boards of a volume, 2 to 5 (default: what each seed draws)" };
seeds.Validators.Add(r => Check(r, r.GetValueOrDefault<int?>() is null or > 0, "a number of seeds is at least 1"));
minutes.Validators.Add(r => Check(r, r.GetValueOrDefault<double?>() is null or > 0, "a time is more than 0 minutes"));
members.Validators.Add(r => Check(r, r.GetValueOrDefault<int?>() is null or (>= 2 and <= 5), "a volume has 2 to 5 boards here"));
var root = new RootCommand("Simulates hosts, boards, disks, chips and a network in virtual time, lets everything fail, and judges what is left. A seed decides everything.")
{
    seed, from, seeds, minutes, members,
};
var crashPoints = new CrashPointsVerb();
crashPoints.AddTo(root);
root.SetAction(parsed =>
{
    if (crashPoints.IsChosen(parsed))
    {
        return crashPoints.Run(parsed, Console.Out);
    }

    var options = new SimulationOptions(
        parsed.GetValue(seed),
        parsed.GetValue(from),
        parsed.GetValue(seeds) ?? (parsed.GetValue(minutes) is null ? SimulationOptions.SeedsDefault : null),
        parsed.GetValue(minutes),
        parsed.GetValue(members));
    var simulation = new Simulation(options, Console.Out);
    var (run, failed) = options.Seed is { } one ? (1, simulation.Replay(one)) : simulation.Run();
    Console.WriteLine($"{run} seeds, {failed} failed");
    return failed == 0 ? 0 : 1;
});
var command = root.Parse(args);
if (command.Errors.Count > 0)
{
    Console.Error.WriteLine($"simulate: {command.Errors[0].Message.TrimEnd('.')}; see --help.");
    return UsageError;
}

return command.Invoke();

static void Check(System.CommandLine.Parsing.OptionResult result, bool isRight, string sentence)
{
    if (!isRight)
    {
        result.AddError(sentence);
    }
}
