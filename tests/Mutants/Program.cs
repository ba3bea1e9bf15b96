using System.CommandLine;
using MirrorController.Tests.Harness.Mutants;
using MirrorController.Tests.Mutants;

const int UsageError = 64;

var names = new Argument<string[]>("name") { Description = "the mutants whose names have one of these texts in them (default: all but those that are equivalent)", Arity = ArgumentArity.ZeroOrMore };
var seeds = new Option<int?>("--seeds") { Description = $"within how many seeds each must be found (default {MutantOptions.SeedsDefault}, or what its file says)" };
var jobs = new Option<int>("--jobs") { Description = "how many mutants are built and run at once", DefaultValueFactory = _ => 1 };
var timeout = new Option<int>("--timeout") { Description = "after how many seconds a run that does not end counts as found", DefaultValueFactory = _ => 900 };
var source = new Option<string>("--source") { Description = "the top of the source tree", DefaultValueFactory = _ => Directory.GetCurrentDirectory() };
seeds.Validators.Add(r => Check(r, r.GetValueOrDefault<int?>() is null or > 0, "a number of seeds is at least 1"));
jobs.Validators.Add(r => Check(r, r.GetValueOrDefault<int>() > 0, "at least one job is needed"));
timeout.Validators.Add(r => Check(r, r.GetValueOrDefault<int>() > 0, "a time is at least 1 second"));
var root = new RootCommand("Takes the rules of the protocol out of the product, one at a time, and tells after how many seeds the simulator finds it.")
{
    names, seeds, jobs, timeout, source,
};
root.SetAction(parsed =>
{
    var options = new MutantOptions(parsed.GetValue(seeds), parsed.GetValue(jobs), TimeSpan.FromSeconds(parsed.GetValue(timeout)), parsed.GetValue(source)!);
    var chosen = parsed.GetValue(names)!;
    try
    {
        var all = Mutant.ReadAll(Path.Combine(options.Source, "tests", "Mutants"));
        var mutants = all.FindAll(
            m => chosen.Length == 0 ? m.Equivalent is null : Array.Exists(chosen, n => m.Name.Contains(n, StringComparison.OrdinalIgnoreCase)));
        return new MutantRun(options, Console.Out).Run(mutants, chosen.Length == 0 ? all.FindAll(m => m.Equivalent is not null) : []) ? 0 : 1;
    }
    catch (Exception e) when (e is FormatException or IOException or InvalidOperationException)
    {
        Console.Error.WriteLine($"mutants: {e.Message}");
        return 2;
    }
});
var command = root.Parse(args);
if (command.Errors.Count > 0)
{
    Console.Error.WriteLine($"mutants: {command.Errors[0].Message.TrimEnd('.')}; see --help.");
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
