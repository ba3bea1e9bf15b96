using System.Diagnostics;
using System.Globalization;

namespace MirrorController.Tests.Fuzz.Engine;

/// <summary>Starts a worker a target, one after another, and sees to those that an input kills.</summary>
internal static class FuzzLead
{
    private const string HeapMax = "40000000"; // 1 GiB, in hexadecimal as the runtime wants it: memory without bound ends the worker.

    /// <summary>Runs the targets; returns how many inputs were run and how many failures they showed.</summary>
    public static (long Runs, long Failed) Run(IEnumerable<FuzzTarget> targets, TimeSpan time)
    {
        var program = Instrumented.Make();
        long runs = 0, failed = 0;
        foreach (var target in targets)
        {
            var (r, f) = Run(program, target, time);
            runs += r;
            failed += f;
        }

        return (runs, failed);
    }

    private static (long Runs, long Failed) Run(string program, FuzzTarget target, TimeSpan time)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList = { "exec", program, target.Name, "--minutes", time.TotalMinutes.ToString(CultureInfo.InvariantCulture), "--worker" },
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment["DOTNET_GCHeapHardLimit"] = HeapMax;
        using var worker = Process.Start(start)!;
        (long Runs, long Failed)? result = null;
        while (worker.StandardOutput.ReadLine() is { } line)
        {
            if (line.StartsWith(FuzzWorker.ResultMark, StringComparison.Ordinal))
            {
                var numbers = line.Split(' ');
                result = (long.Parse(numbers[1], CultureInfo.InvariantCulture), long.Parse(numbers[2], CultureInfo.InvariantCulture));
            }
            else
            {
                Console.WriteLine(line);
            }
        }

        worker.WaitForExit();
        if (result is { } told)
        {
            return told;
        }

        var what = $"the process ended with {worker.ExitCode}.";
        Console.WriteLine(RunningInput.Left(target) is { } input
            ? $"FAILED {target.Name}: {what} See it again with: ./fuzz {target.Name} --input {FuzzWatch.Keep(FuzzPlaces.Failures, new FuzzFailedException(target, input, what))}"
            : $"FAILED {target.Name}: {what}");
        return (0, 1);
    }
}
