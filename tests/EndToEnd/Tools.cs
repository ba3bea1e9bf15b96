using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace MirrorController.Tests.EndToEnd;

/// <summary>Runs other people's programs.</summary>
internal static class Tools
{
    private const int TimeoutMsDefault = 60_000;

    /// <summary>Runs a program to its end and fails the test with its output unless it exits with 0 in time.</summary>
    /// <returns>What it wrote to standard output.</returns>
    public static string Run(string program, params string[] arguments) => Run(TimeoutMsDefault, 0, program, arguments);

    /// <summary>Runs a program that is expected to end with this exit code.</summary>
    public static string Run(int timeoutMs, int exitCode, string program, params string[] arguments)
    {
        var command = program + " " + string.Join(' ', arguments);
        using var process = Start(program, arguments);
        var output = new StringBuilder();
        var all = new StringBuilder();
        process.OutputDataReceived += (_, e) => Add(e.Data, output);
        process.ErrorDataReceived += (_, e) => Add(e.Data, null);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(timeoutMs))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            Assert.Fail($"'{command}' did not end within {timeoutMs} ms. It said:\n{all}");
        }

        // Once more without a limit: only this waits for the end of the output.
        process.WaitForExit();
        if (process.ExitCode != exitCode)
        {
            Assert.Fail($"'{command}' ended with {process.ExitCode} instead of {exitCode}. It said:\n{all}");
        }

        return output.ToString();

        void Add(string? line, StringBuilder? too)
        {
            if (line is not null)
            {
                lock (all)
                {
                    all.AppendLine(line);
                    too?.AppendLine(line);
                }
            }
        }
    }

    private static Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            var process = Process.Start(start)!;
            process.StandardInput.Close();
            return process;
        }
        catch (Win32Exception e)
        {
            Assert.Fail($"The program '{program}' cannot be started ({e.Message}); ./test installs what is needed.");
            throw;
        }
    }
}
