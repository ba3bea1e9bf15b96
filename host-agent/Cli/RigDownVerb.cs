using System.CommandLine;
using MirrorController.HostAgent.Rig;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>rig down</c>: ends the rig cleanly, also while I/O is held; or what a killed one has left.</summary>
internal sealed class RigDownVerb : Verb
{
    private static readonly TimeSpan LetGoMax = TimeSpan.FromSeconds(5);
    private readonly Option<string?> _dir = RigGroup.Dir();

    public RigDownVerb(CliContext context)
        : base(context, "down", "Shuts the rig down: the agent first, then the boards. What it stores stays.", "mirrorctl rig down") => Add(_dir);

    /// <inheritdoc/>
    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var paths = new RigPaths(parsed.GetValue(_dir));
        RigFolder.Check(paths);
        if (await RigClient.AskAsync(paths, new RigRequest(RigVerb.Down, [], false), cancellation) is { } rig)
        {
            if (rig.Host.Undurable is { } undurable)
            {
                Screen.Line(undurable);
            }

            await RigLock.WaitUntilFreeAsync(paths, LetGoMax);
            Screen.Line($"the rig in {paths.Folder} is down");
            return ExitCode.Done;
        }

        using var taken = RigLock.TryTake(paths)
            ?? throw new CliFault($"The rig in {paths.Folder} is starting or ending; ask again in a moment.");
        var leftovers = Leftovers.Find(paths);
        await Leftovers.EndAsync(leftovers);
        Screen.Line(leftovers.Count == 0
            ? $"no rig runs in {paths.Folder}"
            : $"no rig runs in {paths.Folder}; ended what a killed one had left: {string.Join(", ", leftovers.Select(l => l.Node))}");
        return ExitCode.Done;
    }
}
