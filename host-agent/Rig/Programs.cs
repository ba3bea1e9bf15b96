using MirrorController.HostAgent.Cli;

namespace MirrorController.HostAgent.Rig;

/// <summary>Where the programs are that the rig starts.</summary>
internal static class Programs
{
    /// <summary>A framework-dependent program is a small starter beside its dll; a whole native one is larger than this.</summary>
    private const long StarterBytesMax = 1 << 20;

    /// <summary>Finds this program.</summary>
    public static string Agent() => Find(AppContext.BaseDirectory, "mirrorctl")
        ?? throw new CliFault($"mirrorctl was not found in {AppContext.BaseDirectory}; build or publish it again.", ExitCode.Unusable);

    /// <summary>Finds the board's program: beside this one, or where a build of the sources puts it.</summary>
    public static string Board()
    {
        var here = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        var configuration = Path.GetFileName(Path.GetDirectoryName(here)) ?? "Release";
        var built = Path.GetFullPath(Path.Combine(here, "..", "..", "..", "..", "firmware", "bin", configuration, "net10.0"));
        return Find(here, "mirror-board")
            ?? Find(built, "mirror-board")
            ?? throw new CliFault($"mirror-board was found neither in {here} nor in {built}; build or publish it again.", ExitCode.Unusable);
    }

    /// <summary>Gets the variables with which a program finds the runtime that this one runs on, wherever it is installed.</summary>
    public static Dictionary<string, string> RuntimeEnvironment()
    {
        var library = typeof(object).Assembly.Location;
        var root = library.Length == 0 ? null : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(library)!, "..", "..", ".."));
        return root is not null && Directory.Exists(Path.Combine(root, "host")) ? new(StringComparer.Ordinal) { ["DOTNET_ROOT"] = root } : new(StringComparer.Ordinal);
    }

    private static string? Find(string folder, string name)
    {
        var file = new FileInfo(Path.Combine(folder, OperatingSystem.IsWindows() ? name + ".exe" : name));
        return file.Exists && (file.Length > StarterBytesMax || File.Exists(Path.Combine(folder, name + ".dll"))) ? file.FullName : null;
    }
}
