using System.Text.Json;

namespace MirrorController.Runtime.Configuration;

/// <summary>A configuration file being read: its root, and every mistake found so far, each one sentence with its line.</summary>
/// <remarks>Unknown keys are refused: a mistyped key must not turn into a default. Relative paths are relative to the file.</remarks>
public sealed class ConfigFile
{
    private const int SizeBytesMax = 1 << 20;
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];
    private readonly List<string> _faults = [];

    private ConfigFile(string path) => FilePath = path;

    /// <summary>Gets the file's full path.</summary>
    public string FilePath { get; }

    /// <summary>Gets the folder that relative paths start from.</summary>
    public string Folder => Path.GetDirectoryName(FilePath)!;

    /// <summary>Gets the mistakes, in the order they were found.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>Gets the outermost object; empty when the file could not be read.</summary>
    public ConfigObject Root { get; private set; } = null!;

    /// <summary>Reads a file; what is wrong with it is in <see cref="Faults"/>.</summary>
    public static ConfigFile Load(string path)
    {
        var file = new ConfigFile(Path.GetFullPath(path));
        var value = file.Parse();
        if (value is { Kind: not ConfigKind.Object })
        {
            file.AddFault(value.Line, $"the file holds {value.Shown}; it must hold one object, {{ ... }}");
            value = null;
        }

        file.Root = new ConfigObject(file, value ?? new ConfigValue(ConfigKind.Object, 1), "the file");
        return file;
    }

    /// <summary>Gets all mistakes in one sentence for stderr: the first, and how many more there are.</summary>
    public string? FirstFault() => _faults.Count switch
    {
        0 => null,
        1 => _faults[0],
        _ => $"{_faults[0]} (and {_faults.Count - 1} more)",
    };

    /// <summary>Makes a path of the file absolute.</summary>
    public string Resolve(string path) => Path.GetFullPath(path, Folder);

    /// <summary>Adds a mistake on a line of the file.</summary>
    internal void AddFault(int line, string sentence) => _faults.Add($"{FilePath} line {line}: {sentence}.");

    private ConfigValue? Parse()
    {
        byte[] bytes;
        try
        {
            var info = new FileInfo(FilePath);
            if (info.Length > SizeBytesMax)
            {
                _faults.Add($"{FilePath} has more than {SizeBytesMax} bytes and is no configuration file.");
                return null;
            }

            bytes = File.ReadAllBytes(FilePath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _faults.Add(e is FileNotFoundException or DirectoryNotFoundException
                ? $"{FilePath} does not exist; name an existing configuration file."
                : $"{FilePath} cannot be read: {e.Message}");
            return null;
        }

        try
        {
            var span = bytes.AsSpan();
            return ConfigParser.Parse(span.StartsWith(ByteOrderMark) ? span[ByteOrderMark.Length..] : span);
        }
        catch (JsonException e)
        {
            AddFault((int)(e.LineNumber ?? 0) + 1, "this is not JSON: " + Reason(e));
            return null;
        }
    }

    /// <summary>The parser's own sentence without its position, which our sentence already has.</summary>
    private static string Reason(JsonException e)
    {
        if (e.Message.Contains("isFinalBlock", StringComparison.Ordinal))
        {
            // Its words for a file without anything but blanks and comments are about its parameters.
            return "the file is empty";
        }

        var cut = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (cut < 0 ? e.Message : e.Message[..cut]).TrimEnd('.');
    }
}
