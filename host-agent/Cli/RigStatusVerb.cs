using System.CommandLine;
using System.Text.Json;
using MirrorController.HostAgent.Control;
using MirrorController.HostAgent.Rig;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>rig status</c>: the rig's processes, and the volume as the agent sees it.</summary>
internal sealed class RigStatusVerb : Verb
{
    private readonly Option<string?> _dir = RigGroup.Dir();
    private readonly Option<bool> _json = VerbOptions.Json();

    public RigStatusVerb(CliContext context)
        : base(
            context,
            "status",
            "Shows the rig's processes and its volume. Exit code 0: all run, 1: not all, 4: no rig runs.",
            "mirrorctl rig status",
            "mirrorctl rig status --dir /tmp/lab --json")
    {
        Add(_dir);
        Add(_json);
    }

    /// <inheritdoc/>
    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var paths = new RigPaths(parsed.GetValue(_dir));
        var rig = await RigClient.AskAsync(paths, new RigRequest(RigVerb.Status, [], false), cancellation)
            ?? throw NotRunning(paths);
        var allRun = rig.Host.Process == NodeProcess.Running && rig.Boards.All(b => b.Process == NodeProcess.Running);
        if (parsed.GetValue(_json))
        {
            Screen.Line(JsonSerializer.Serialize(rig, RigJson.Default.RigModel));
            return allRun ? ExitCode.Done : ExitCode.Failed;
        }

        using var client = new ControlClient(new Uri(rig.Http));
        var status = rig.Host.Process == NodeProcess.Running ? await client.GetStatusAsync(cancellation) : null;
        foreach (var line in RigText.Nodes(rig).Concat(status is null ? [] : StatusTree.Lines(status)))
        {
            Screen.Markup(line);
        }

        return allRun ? ExitCode.Done : ExitCode.Failed;
    }

    /// <summary>Makes the fault for a folder on which no supervisor runs.</summary>
    public static CliFault NotRunning(RigPaths paths)
    {
        if (!RigFolder.Has(paths.Folder))
        {
            return RigFolder.Missing(paths);
        }

        var leftovers = Leftovers.Find(paths);
        return new CliFault(
            leftovers.Count == 0
                ? $"No rig runs in {paths.Folder}; start it with 'mirrorctl rig up{paths.DirArgument}'."
                : $"No rig runs in {paths.Folder}, but a killed one has left {string.Join(", ", leftovers.Select(l => $"{l.Node} (process {l.Row.Pid})"))}; "
                    + $"'mirrorctl rig down{paths.DirArgument}' ends them, 'rig up' as well.",
            ExitCode.CannotTell);
    }
}
