using System.Text;

namespace MirrorController.HostAgent.Rig;

/// <summary>Where things are in a rig's folder.</summary>
internal sealed class RigPaths
{
    /// <summary>The name of the agent among the rig's nodes.</summary>
    public const string Host = "host";

    /// <summary>Makes the paths of a folder; null is the default one.</summary>
    public RigPaths(string? folder) => Folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder ?? DefaultFolder()));

    /// <summary>Gets the rig's folder.</summary>
    public string Folder { get; }

    /// <summary>Gets the file with the rig's settings.</summary>
    public string State => Path.Combine(Folder, "rig.json");

    /// <summary>Gets the file that a running supervisor keeps locked.</summary>
    public string Lock => Path.Combine(Folder, "rig.lock");

    /// <summary>Gets the supervisor's socket.</summary>
    public string Socket => Path.Combine(Folder, "rig.sock");

    /// <summary>Gets the file with the volume's secret.</summary>
    public string Secret => Path.Combine(Folder, "secret");

    /// <summary>Gets the agent's configuration.</summary>
    public string AgentConfiguration => Configuration(Host);

    /// <summary>Gets a node's own folder.</summary>
    public string NodeFolder(string node) => Path.Combine(Folder, node);

    /// <summary>Gets a node's configuration.</summary>
    public string Configuration(string node) => Path.Combine(Folder, node, node == Host ? "agent.json" : "board.json");

    /// <summary>Gets the file with a board's data.</summary>
    public string Disk(string board) => Path.Combine(Folder, board, "disk.img");

    /// <summary>Gets the file with a board's emulated chip.</summary>
    public string Nvm(string board) => Path.Combine(Folder, board, "nvm.img");

    /// <summary>Gets the log of a node, or of <c>rig</c> itself.</summary>
    public string Log(string node) => Path.Combine(Folder, "logs", node + ".log");

    /// <summary>Gets the argument that names this folder in messages' commands; empty for the default folder.</summary>
    public string DirArgument => Folder == Path.GetFullPath(DefaultFolder()) ? "" : " --dir " + Quote(Folder);

    /// <summary>Gets the folder that is used without <c>--dir</c>: in the user's state directory.</summary>
    public static string DefaultFolder()
    {
        var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        if (string.IsNullOrEmpty(state) || !Path.IsPathRooted(state))
        {
            state = OperatingSystem.IsWindows()
                ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), ".local", "state");
        }

        return Path.Combine(state, "mirrorcontroller", "rig");
    }

    /// <summary>Tells whether a socket's path fits the system's 108 bytes.</summary>
    public static bool FitsSocket(string path) => Encoding.UTF8.GetByteCount(path) < 108;

    private static string Quote(string text) => text.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '-' or '_' or '.' or '+' or ':' or ',')
        ? text
        : "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
