namespace MirrorController.Tests.Harness.Mutants;

/// <summary>The product with one rule taken out: a file of tests/Mutants.</summary>
/// <remarks>
/// <code>
/// rule: W4 [S1]
/// out: one sentence: what is taken out
/// seeds: 2000                 (only where the usual number is not enough)
/// equivalent: one sentence: why no run can show a difference, for another rule holds it up (it is run only when named)
///
/// file: firmware/Array/BoardVolume.Writes.cs
/// --- old
/// the lines that occur exactly once in it; a line may begin and end anywhere within one of the file
/// --- new
/// the lines that take their place
/// --- end
/// </code>
/// Several edits may follow each other; `file:` holds until the next one. All other lines are remarks.
/// </remarks>
public sealed class Mutant
{
    private const string OrderOfRules = "WDBORN";

    private Mutant(string name) => Name = name;

    /// <summary>Gets the name: the file's, without `.mutant`.</summary>
    public string Name { get; }

    /// <summary>Gets the rule, with its mark in brackets if it has one.</summary>
    public string Rule { get; private set; } = "";

    /// <summary>Gets the sentence that says what is taken out.</summary>
    public string TakenOut { get; private set; } = "";

    /// <summary>Gets within how many seeds it has to be found, if more are needed than usual.</summary>
    public int? Seeds { get; private set; }

    /// <summary>Gets why no run can show a difference; null where one must.</summary>
    public string? Equivalent { get; private set; }

    /// <summary>Gets the edits, in the order of the file.</summary>
    public List<MutantEdit> Edits { get; } = [];

    /// <summary>Reads all mutants of a folder, in the order of the rules.</summary>
    /// <exception cref="FormatException">A file is not one of a mutant.</exception>
    public static List<Mutant> ReadAll(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*.mutant").Select(Read)
            .OrderBy(m => OrderOfRules.IndexOf(m.Name[0], StringComparison.Ordinal)).ThenBy(m => m.Name, StringComparer.Ordinal)];

    /// <summary>Reads a mutant's file.</summary>
    /// <exception cref="FormatException">The file is not one of a mutant.</exception>
    public static Mutant Read(string path) =>
        Parse(Path.GetFileNameWithoutExtension(path), File.ReadAllText(path));

    /// <summary>Reads the text of a mutant's file.</summary>
    /// <exception cref="FormatException">It is not one.</exception>
    public static Mutant Parse(string name, string text)
    {
        var mutant = new Mutant(name);
        var lines = new Queue<string>(text.ReplaceLineEndings("\n").Split('\n'));
        var file = "";
        while (lines.TryDequeue(out var line))
        {
            var (key, value) = Split(line);
            switch (key)
            {
                case "rule":
                    mutant.Rule = value;
                    break;
                case "out":
                    mutant.TakenOut = value;
                    break;
                case "equivalent":
                    mutant.Equivalent = value;
                    break;
                case "seeds":
                    mutant.Seeds = int.Parse(value, System.Globalization.CultureInfo.InvariantCulture);
                    break;
                case "file":
                    file = value;
                    break;
                case "--- old":
                    var old = Until(name, lines, "--- new");
                    mutant.Edits.Add(new MutantEdit(file, old, Until(name, lines, "--- end")));
                    break;
                default:
                    break;
            }
        }

        if (mutant.Rule.Length == 0 || mutant.TakenOut.Length == 0 || mutant.Edits.Count == 0
            || mutant.Edits.Exists(e => e.File.Length == 0 || e.OldText.Length == 0))
        {
            throw new FormatException($"The mutant {name} lacks its rule, its sentence, a file or an edit.");
        }

        return mutant;
    }

    /// <summary>Makes the edits; the result is each file's new text.</summary>
    /// <param name="readFile">Reads a file by its path from the top of the source tree.</param>
    /// <exception cref="FormatException">An edit does not apply.</exception>
    public Dictionary<string, string> Apply(Func<string, string> readFile)
    {
        ArgumentNullException.ThrowIfNull(readFile);
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var edit in Edits)
        {
            files[edit.File] = edit.Apply(files.GetValueOrDefault(edit.File) ?? readFile(edit.File));
        }

        return files;
    }

    private static (string Key, string Value) Split(string line)
    {
        var colon = line.IndexOf(": ", StringComparison.Ordinal);
        return colon < 0 ? (line, "") : (line[..colon], line[(colon + 2)..].Trim());
    }

    private static string Until(string name, Queue<string> lines, string end)
    {
        var taken = new List<string>();
        while (lines.TryDequeue(out var line))
        {
            if (line == end)
            {
                return string.Join('\n', taken);
            }

            taken.Add(line);
        }

        throw new FormatException($"The mutant {name} has an edit without the line '{end}'.");
    }
}
