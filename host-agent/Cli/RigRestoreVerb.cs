using System.CommandLine;
using MirrorController.HostAgent.Rig;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>rig restore</c>: gives nodes their power back.</summary>
internal sealed class RigRestoreVerb : Verb
{
    private readonly Argument<string[]> _nodes = RigGroup.Nodes();
    private readonly Option<string?> _dir = RigGroup.Dir();

    public RigRestoreVerb(CliContext context)
        : base(
            context,
            "restore",
            "Gives boards or the host their power back; returns when the processes answer ('wait' waits for the volume).",
            "mirrorctl rig restore pi-a",
            "mirrorctl rig restore pi-a pi-b host")
    {
        Add(_nodes);
        Add(_dir);
    }

    /// <inheritdoc/>
    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var paths = new RigPaths(parsed.GetValue(_dir));
        var rig = await RigClient.AskAsync(
            paths, new RigRequest(RigVerb.Restore, parsed.GetRequiredValue(_nodes), false), cancellation)
            ?? throw RigStatusVerb.NotRunning(paths);
        foreach (var line in RigText.Nodes(rig))
        {
            Screen.Markup(line);
        }

        return ExitCode.Done;
    }
}
