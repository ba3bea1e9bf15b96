namespace MirrorController.Tests.Simulation.Coverage;

/// <summary>A named statement: a line of <c>rules.txt</c>, <c>name | file | a piece of its text</c>.</summary>
/// <param name="Name">The rule, transition or refusal.</param>
/// <param name="File">The end of the file's path; <c>*</c> for all.</param>
/// <param name="Text">A piece of the statement's first line.</param>
internal sealed record CoverageList(string Name, string File, string Text)
{
    /// <summary>Reads a list that lies beside the program.</summary>
    public static List<CoverageList> Read(string file)
    {
        var list = new List<CoverageList>();
        foreach (var line in System.IO.File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, file)))
        {
            var parts = line.Split(" | ", 3, StringSplitOptions.TrimEntries);
            if (parts.Length == 3 && line[0] != '#')
            {
                list.Add(new CoverageList(parts[0], parts[1], parts[2]));
            }
            else if (line.Length > 0 && line[0] != '#')
            {
                throw new InvalidDataException($"{file}: '{line}' is not 'name | file | text'.");
            }
        }

        return list;
    }

    /// <summary>Tells whether it is this statement.</summary>
    public bool Matches(string file, string text) =>
        (File == "*" || file.EndsWith(File, StringComparison.Ordinal)) && text.Contains(Text, StringComparison.Ordinal);
}
