namespace MirrorController.Firmware.Service;

/// <summary>The command line of <c>mirror-board</c>: few words, and no library for them on a small machine.</summary>
/// <param name="ConfigPath">The configuration file; null when only help or version is wanted.</param>
/// <param name="CheckOnly">Whether the configuration is only checked.</param>
/// <param name="ShowVersion">Whether only the version is wanted.</param>
internal sealed record BoardArguments(string? ConfigPath, bool CheckOnly, bool ShowVersion)
{
    /// <summary>What <c>--help</c> prints.</summary>
    public const string Help = """
        mirror-board: one board of a mirrored volume.

        Usage:
          mirror-board --config FILE [--check]

        Options:
          --config FILE   The board's configuration file.
          --check         Only check the configuration: every mistake with its line, exit code 64;
                          exit code 2 if its block device is not there.
          --version       Show the version.
          --help          Show this help.

        Example:
          mirror-board --config /etc/mirrorcontroller/board.json

        """;

    /// <summary>Reads a command line.</summary>
    /// <returns>Null and one sentence when it is wrong.</returns>
    public static BoardArguments? Parse(IReadOnlyList<string> arguments, out string? fault)
    {
        string? config = null;
        var check = false;
        var other = "";
        fault = null;
        for (var i = 0; i < arguments.Count && fault is null; i++)
        {
            switch (arguments[i])
            {
                // An empty word, as of a variable that is not set, is no file.
                case "--config" when i + 1 < arguments.Count && arguments[i + 1].Trim().Length > 0:
                    config = arguments[++i];
                    break;
                case "--check":
                    check = true;
                    break;
                case "--help" or "-h" or "-?" or "--version":
                    other = arguments[i];
                    break;
                case "--config":
                    fault = "--config needs a file";
                    break;
                default:
                    fault = $"'{arguments[i]}' is not known";
                    break;
            }
        }

        if (fault is null && config is null && other.Length == 0)
        {
            fault = "--config is missing";
        }

        fault = fault is null ? null : fault + "; use: mirror-board --config FILE [--check].";
        return fault is null ? new BoardArguments(other.Length > 0 ? null : config, check, other == "--version") : null;
    }
}
