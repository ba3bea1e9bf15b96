using MirrorController.HostAgent.Cli;
using MirrorController.HostAgent.Control;

namespace MirrorController.Tests.Unit.Cli;

/// <summary>What a command line printed, and its exit code.</summary>
internal sealed record CommandLineRun(int ExitCode, string Output, string Error)
{
    /// <summary>Runs a command line in this process.</summary>
    public static async Task<CommandLineRun> OfAsync(IBoardDirectory boards, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await CommandLine.RunAsync(new CliContext(Screen.Plain(output, error), boards), arguments);
        return new CommandLineRun(code, output.ToString(), error.ToString());
    }
}
