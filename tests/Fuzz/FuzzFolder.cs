namespace MirrorController.Tests.Fuzz;

/// <summary>The folder of this process for decoders that read files; removed at its end.</summary>
internal static class FuzzFolder
{
    private static readonly string Root = Make();

    /// <summary>Gets a file's path.</summary>
    public static string File(string name) => Path.Combine(Root, name);

    /// <summary>Writes a file and gets its path.</summary>
    public static string Write(string name, ReadOnlySpan<byte> bytes)
    {
        var path = File(name);
        System.IO.File.WriteAllBytes(path, bytes);
        return path;
    }

    private static string Make()
    {
        var root = Directory.CreateTempSubdirectory("mirror-fuzz-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(root, recursive: true);
        return root;
    }
}
