using System.CommandLine;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>table</c>: the boards' tag tables.</summary>
internal sealed class TableGroup : Command
{
    public TableGroup(CliContext context)
        : base("table", "The boards' tag tables.") => Add(new TableShowVerb(context));
}
