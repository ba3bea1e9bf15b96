using System.Diagnostics;
using MirrorController.Tests.Harness.Mutants;

namespace MirrorController.Tests.Mutants;

/// <summary>A copy of the source tree in which mutants are built one after another, so that each build is a small one.</summary>
internal sealed class Workshop
{
    private const string Simulator = "tests/Simulation/bin/Release/net10.0";

    private static readonly string[] _folders = ["shared", "firmware", "tests/Harness", "tests/Simulation"];
    // In the order of their references, with the assembly that each makes.
    private static readonly (string Folder, string Assembly)[] _projects =
        [("shared/Protocol", "MirrorController.Protocol.dll"), ("firmware", "mirror-board.dll")];

    private static readonly string[] _files = ["Directory.Build.props", "Directory.Packages.props", "BannedSymbols.txt", ".editorconfig", "global.json"];

    private readonly string _source;
    private readonly string _tree;
    private readonly string _unchanged;

    /// <summary>Copies what the simulator is built from.</summary>
    public Workshop(string source, string folder)
    {
        _source = source;
        _tree = Path.Combine(folder, "tree");
        _unchanged = Path.Combine(folder, "unchanged");
        foreach (var name in _folders)
        {
            CopyFolder(Path.Combine(source, name), Path.Combine(_tree, name));
        }

        foreach (var name in _files)
        {
            if (File.Exists(Path.Combine(source, name)))
            {
                File.Copy(Path.Combine(source, name), Path.Combine(_tree, name));
            }
        }

        Build("tests/Simulation", "");
        CopyFolder(Path.Combine(_tree, Simulator), _unchanged);
    }

    /// <summary>Builds the simulator with a mutant in it.</summary>
    /// <exception cref="FormatException">It does not apply.</exception>
    /// <exception cref="InvalidOperationException">It does not compile.</exception>
    public void Build(Mutant mutant)
    {
        var changed = mutant.Apply(Original);
        if (changed.Keys.FirstOrDefault(f => !_projects.Any(p => f.StartsWith(p.Folder + "/", StringComparison.Ordinal))) is { } strange)
        {
            throw new InvalidOperationException($"{mutant.Name} changes {strange}, which the simulator is not built from.");
        }

        try
        {
            foreach (var (file, text) in changed)
            {
                File.WriteAllText(Path.Combine(_tree, file), text);
            }

            foreach (var (folder, assembly) in _projects)
            {
                var built = Path.Combine(_tree, Simulator, assembly);
                if (changed.Keys.Any(f => f.StartsWith(folder + "/", StringComparison.Ordinal)))
                {
                    // Only what is changed is compiled: no edit changes what another assembly sees.
                    Build(folder, "--no-restore --no-dependencies");
                    File.Copy(Path.Combine(_tree, folder, "bin", "Release", "net10.0", assembly), built, overwrite: true);
                }
                else
                {
                    File.Copy(Path.Combine(_unchanged, assembly), built, overwrite: true);
                }
            }
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidOperationException($"{mutant.Name} does not compile: {e.Message}", e);
        }
        finally
        {
            foreach (var file in changed.Keys)
            {
                File.WriteAllText(Path.Combine(_tree, file), Original(file));
            }
        }
    }

    /// <summary>Runs the simulator as it was built last, or the one without a mutant.</summary>
    /// <returns>What it printed; null if it was ended because it did not end.</returns>
    public string? Simulate(string arguments, TimeSpan timeout, int threads, bool unchanged = false)
    {
        var dll = Path.Combine(unchanged ? _unchanged : Path.Combine(_tree, Simulator), "mirror-simulate.dll");
        return RunDotnet($"exec \"{dll}\" {arguments}", timeout, threads).Output;
    }

    private string Original(string file) => File.ReadAllText(Path.Combine(_source, file)).ReplaceLineEndings("\n");

    private void Build(string project, string more)
    {
        // What a mutant leaves unused is a warning, and no error here.
        const string Fast = "-p:RunAnalyzersDuringBuild=false -p:TreatWarningsAsErrors=false -p:WarningLevel=0 -p:GenerateDocumentationFile=false -p:UseSharedCompilation=true";
        var (output, code) = RunDotnet($"build -c Release \"{Path.Combine(_tree, project)}\" -v quiet --nologo --tl:off {more} {Fast}", TimeSpan.FromMinutes(20), 0);
        if (code != 0)
        {
            throw new InvalidOperationException(Array.Find((output ?? "").Split('\n'), l => l.Contains("error", StringComparison.Ordinal)) ?? "the build failed");
        }
    }

    private static (string? Output, int Code) RunDotnet(string arguments, TimeSpan timeout, int threads)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        if (threads > 0)
        {
            start.Environment["DOTNET_PROCESSOR_COUNT"] = threads.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(timeout))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            return (null, -1);
        }

        return (output.GetAwaiter().GetResult(), process.ExitCode);
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        }

        foreach (var folder in Directory.EnumerateDirectories(from))
        {
            if (Path.GetFileName(folder) is not ("bin" or "obj"))
            {
                CopyFolder(folder, Path.Combine(to, Path.GetFileName(folder)));
            }
        }
    }
}
