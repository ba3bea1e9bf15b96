using SharpFuzz;

namespace MirrorController.Tests.Fuzz.Engine;

/// <summary>A copy of this program whose product assemblies tell which branches they take.</summary>
internal static class Instrumented
{
    private static readonly string[] Assemblies = ["MirrorController.Protocol.dll", "MirrorController.Runtime.dll", "mirror-board.dll", "mirrorctl.dll"];

    /// <summary>Makes the copy, unless it is newer than the build.</summary>
    /// <returns>The program to start with <c>dotnet exec</c>.</returns>
    public static string Make()
    {
        var program = Path.Combine(FuzzPlaces.Instrumented, "mirror-fuzz.dll");
        var done = Path.Combine(FuzzPlaces.Instrumented, "done");
        var newest = Directory.EnumerateFiles(FuzzPlaces.Output, "*.dll").Max(File.GetLastWriteTimeUtc);
        if (File.Exists(done) && File.GetLastWriteTimeUtc(done) > newest)
        {
            return program;
        }

        if (Directory.Exists(FuzzPlaces.Instrumented))
        {
            Directory.Delete(FuzzPlaces.Instrumented, recursive: true);
        }

        Copy(FuzzPlaces.Output, FuzzPlaces.Instrumented);
        foreach (var assembly in Assemblies)
        {
            _ = Fuzzer.Instrument(Path.Combine(FuzzPlaces.Instrumented, assembly), _ => true, Options.Value).Count();
        }

        File.WriteAllText(done, "");
        return program;
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (var folder in Directory.EnumerateDirectories(from).Where(f => !FuzzPlaces.Own.Contains(Path.GetFileName(f))))
        {
            Copy(folder, Path.Combine(to, Path.GetFileName(folder)));
        }
    }
}
