using MirrorController.HostAgent.Rig;

namespace MirrorController.Tests.Unit.Rig;

/// <summary>Small programs that stand for a node.</summary>
internal static class ShellCommand
{
    /// <summary>Says 'up' in its log and waits; a SIGTERM ends it with code 0.</summary>
    public const string Obedient = "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done";

    /// <summary>Says 'up' in its log and ignores SIGTERM.</summary>
    public const string Stubborn = "trap '' TERM; echo up; while :; do sleep 0.05; done";

    /// <summary>Makes a command from a shell script; further arguments only stand on its command line.</summary>
    public static ChildCommand Of(TemporaryFolder folder, string script, string log = "node.log", IReadOnlyDictionary<string, string>? environment = null, params string[] arguments) =>
        new("/bin/sh", ["-c", script, "sh", .. arguments], environment ?? new Dictionary<string, string>(StringComparer.Ordinal), folder.File(log));

    /// <summary>Tells whether a node's log holds a line: how these programs answer.</summary>
    public static bool HasSaid(string logPath, string line)
    {
        if (!File.Exists(logPath))
        {
            return false;
        }

        using var reader = new StreamReader(new FileStream(logPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd().Split('\n').Any(l => l == line);
    }

    /// <summary>Waits until a line is in a log.</summary>
    public static async Task WaitForAsync(string logPath, string line, CancellationToken cancellation)
    {
        while (!HasSaid(logPath, line))
        {
            await Task.Yield();
            cancellation.ThrowIfCancellationRequested();
        }
    }
}
