using System.CommandLine;
using MirrorController.HostAgent.Rig;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>rig cut</c>: pulls the power of nodes.</summary>
internal sealed class RigCutVerb : Verb
{
    private readonly Argument<string[]> _nodes = RigGroup.Nodes();
    private readonly Option<string?> _dir = RigGroup.Dir();
    private readonly Option<bool> _silent = new("--silent") { Description = "The node falls silent, its connections stay open: a pulled plug sends no goodbye." };

    public RigCutVerb(CliContext context)
        : base(
            context,
            "cut",
            "Pulls the power of boards or of the host: the process dies at once, its volatile caches with it.",
            "mirrorctl rig cut pi-a",
            "mirrorctl rig cut --silent pi-a pi-b host")
    {
        Add(_nodes);
        Add(_dir);
        Add(_silent);
    }

    /// <inheritdoc/>
    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var paths = new RigPaths(parsed.GetValue(_dir));
        var rig = await RigClient.AskAsync(
            paths, new RigRequest(RigVerb.Cut, parsed.GetRequiredValue(_nodes), parsed.GetValue(_silent)), cancellation)
            ?? throw RigStatusVerb.NotRunning(paths);
        foreach (var line in RigText.Nodes(rig))
        {
            Screen.Markup(line);
        }

        return ExitCode.Done;
    }
}
