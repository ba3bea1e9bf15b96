namespace MirrorController.HostAgent.Rig;

/// <summary>A process that a killed supervisor left behind.</summary>
/// <param name="Node">The node it is: a board's name or <c>host</c>.</param>
/// <param name="Row">The process, with its start time.</param>
internal sealed record Leftover(string Node, ProcessRow Row);

/// <summary>Finds and ends what a killed supervisor left running, and nothing else.</summary>
/// <remarks>
/// A process is ours when its environment carries the mark that the rig of this folder gives its children, its command
/// line names this node's configuration file, and it is still the process (start time) that was looked at.
/// So neither a process started by hand from the same files, nor one that got an old id, is touched.
/// </remarks>
internal static class Leftovers
{
    /// <summary>The variable that marks the rig's children; its value is <c>FOLDER|NODE</c>.</summary>
    public const string Mark = "MIRRORCONTROLLER_RIG";

    private static readonly TimeSpan CleanEndMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan KillMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    /// <summary>Gets the mark of a node.</summary>
    public static string MarkOf(RigPaths paths, string node) => $"{paths.Folder}|{node}";

    /// <summary>Finds the leftovers of a folder, the agent first.</summary>
    public static IReadOnlyList<Leftover> Find(RigPaths paths)
    {
        var found = new List<Leftover>();
        if (!OperatingSystem.IsLinux())
        {
            return found;
        }

        var prefix = $"{Mark}={paths.Folder}|";
        foreach (var pid in ProcessTable.Pids())
        {
            if (ProcessTable.Read(pid) is not { IsDead: false } row)
            {
                continue;
            }

            var mark = ProcessTable.Environment(pid).FirstOrDefault(e => e.StartsWith(prefix, StringComparison.Ordinal));
            if (mark is not null
                && mark[prefix.Length..] is var node
                && ProcessTable.Arguments(pid).Any(a => a == paths.Configuration(node))
                && IsStill(row))
            {
                found.Add(new Leftover(node, row));
            }
        }

        return [.. found.OrderByDescending(l => l.Node == RigPaths.Host)];
    }

    /// <summary>Ends leftovers: first the agent, then the boards; those that do not end when asked, and stopped ones, are killed.</summary>
    /// <exception cref="IOException">One cannot be ended; the message is one sentence.</exception>
    public static async Task EndAsync(IReadOnlyList<Leftover> leftovers)
    {
        await EndGroupAsync([.. leftovers.Where(l => l.Node == RigPaths.Host)]);
        await EndGroupAsync([.. leftovers.Where(l => l.Node != RigPaths.Host)]);
    }

    private static async Task EndGroupAsync(Leftover[] group)
    {
        foreach (var leftover in group)
        {
            Signal(leftover, ProcessTable.Read(leftover.Row.Pid) is { IsStopped: true } ? Native.SigKill : Native.SigTerm);
        }

        await WaitAsync(group, CleanEndMax);
        foreach (var leftover in group)
        {
            Signal(leftover, Native.SigKill);
        }

        await WaitAsync(group, KillMax);
        if (Array.Find(group, l => IsStill(l.Row)) is { } alive)
        {
            throw new IOException($"Process {alive.Row.Pid}, {alive.Node} of a former rig, does not end; see why and end it by hand.");
        }
    }

    private static async Task WaitAsync(Leftover[] group, TimeSpan max)
    {
        for (var waited = TimeSpan.Zero; waited < max && Array.Exists(group, l => IsStill(l.Row)); waited += Poll)
        {
            await Task.Delay(Poll);
        }
    }

    private static void Signal(Leftover leftover, int signal)
    {
        if (IsStill(leftover.Row))
        {
            _ = Native.Kill(leftover.Row.Pid, signal);
        }
    }

    private static bool IsStill(ProcessRow row) => ProcessTable.Read(row.Pid) is { IsDead: false } now && now.StartTicks == row.StartTicks;
}
