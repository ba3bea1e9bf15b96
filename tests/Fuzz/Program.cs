using System.CommandLine;
using MirrorController.Tests.Fuzz;
using MirrorController.Tests.Fuzz.Engine;

var target = new Argument<string?>("target") { Description = "One of --list; without it, all in turn.", Arity = ArgumentArity.ZeroOrOne };
var list = new Option<bool>("--list") { Description = "Lists the targets." };
var minutes = new Option<double>("--minutes") { Description = "How long, for each target.", DefaultValueFactory = _ => 1 };
var input = new Option<string?>("--input") { Description = "Gives the target this file, once." };
var worker = new Option<bool>("--worker") { Hidden = true };
var root = new RootCommand("Looks for inputs that make a decoder crash, hang or take too much memory. The last line is 'N runs, N failed'.") { target, list, minutes, input, worker };
root.SetAction(parsed =>
{
    if (parsed.GetValue(list))
    {
        foreach (var t in FuzzTargets.All)
        {
            Console.WriteLine($"{t.Name,-22} bytes from {t.Source}");
        }

        return 0;
    }

    IReadOnlyList<FuzzTarget> targets = FuzzTargets.All;
    if (parsed.GetValue(target) is { } name)
    {
        if (FuzzTargets.Find(name) is not { } found)
        {
            Console.Error.WriteLine($"There is no target {name}; ./fuzz --list names them.");
            return 64;
        }

        targets = [found];
    }

    var time = TimeSpan.FromMinutes(parsed.GetValue(minutes));
    if (parsed.GetValue(worker))
    {
        new FuzzWorker(targets[0]).Work(time);
        return 0;
    }

    var (runs, failed) = parsed.GetValue(input) is { } file ? Replay(targets, file) : FuzzLead.Run(targets, time);
    Console.WriteLine($"{runs} runs, {failed} failed");
    return failed == 0 ? 0 : 1;
});
return root.Parse(args).Invoke();

static (long Runs, long Failed) Replay(IReadOnlyList<FuzzTarget> targets, string file)
{
    var bytes = File.ReadAllBytes(file);
    long failed = 0;
    foreach (var target in targets)
    {
        try
        {
            var decoded = false;
            FuzzWatch.Guard(target, run => decoded = run.Take(bytes));
            Console.WriteLine($"{target.Name}: {(decoded ? "decoded" : "refused")}");
        }
        catch (Exception e) when (e is FuzzFailedException or InvalidOperationException)
        {
            failed++;
            Console.WriteLine($"FAILED {e}");
        }
    }

    return (targets.Count, failed);
}
