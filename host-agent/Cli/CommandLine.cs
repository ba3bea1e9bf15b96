using System.CommandLine;
using System.CommandLine.Help;

namespace MirrorController.HostAgent.Cli;

/// <summary>The tree of verbs, and how a command line is run.</summary>
internal static class CommandLine
{
    /// <summary>Makes the tree.</summary>
    public static RootCommand Build(CliContext context)
    {
        var root = new RootCommand("MirrorController: a volume mirrored on two or more small boards, served over NBD.")
        {
            new RigGroup(context),
            new ServeVerb(context),
            new StatusVerb(context),
            new WaitVerb(context),
            new VerifyVerb(context),
            new RecoverVerb(context),
            new VolumeGroup(context),
            new TableGroup(context),
        };
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new ExampleHelp((HelpAction)help.Action!);
        return root;
    }

    /// <summary>Runs a command line and returns the exit code; a wrong one is one sentence and 64.</summary>
    public static async Task<int> RunAsync(CliContext context, IReadOnlyList<string> arguments)
    {
        var parsed = Build(context).Parse(arguments);
        if (parsed.Errors.Count > 0 && parsed.Action is not ExampleHelp)
        {
            if (arguments.Count == 0)
            {
                Build(context).Parse(["--help"]).Invoke();
                return ExitCode.Usage;
            }

            // A word nobody knows says more than the command that is missing because of it.
            var error = parsed.Errors.FirstOrDefault(e => e.Message.StartsWith("Unrecognized", StringComparison.Ordinal)) ?? parsed.Errors[0];
            context.Screen.Error($"{error.Message.TrimEnd('.')}; see '{PathOf(parsed)} --help'.");
            return ExitCode.Usage;
        }

        // Ctrl-C cancels a verb; those that must end cleanly take the signals themselves.
        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        });
    }

    private static string PathOf(ParseResult parsed)
    {
        var names = new List<string>();
        for (System.CommandLine.Parsing.SymbolResult? at = parsed.CommandResult; at is not null; at = at.Parent)
        {
            names.Insert(0, at.Parent is null ? "mirrorctl" : ((System.CommandLine.Parsing.CommandResult)at).Command.Name);
        }

        return string.Join(' ', names);
    }
}
