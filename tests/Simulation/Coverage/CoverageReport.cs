using System.Globalization;

namespace MirrorController.Tests.Simulation.Coverage;

/// <summary>Tells what no seed has reached: rules, and statements of the nodes' code.</summary>
internal sealed class CoverageReport(TextWriter output, IReadOnlyCollection<string> transitions, bool tellsStatements)
{
    /// <summary>The rooms of the nodes; the rest of those assemblies runs on real devices.</summary>
    private static readonly string[] _rooms =
    [
        "shared/Protocol/Blocks/", "shared/Protocol/Coordination/", "shared/Protocol/Nvm/", "shared/Protocol/Recovery/", "shared/Protocol/Tags/",
        "shared/Protocol/Views/", "shared/Protocol/Wire/", "firmware/Array/",
    ];

    /// <summary>Writes the report; returns how many rules were not reached.</summary>
    public int Write()
    {
        var statements = Collect();
        var reached = statements.Count(s => s.IsReached);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"statements of the nodes reached: {reached} of {statements.Count} ({100.0 * reached / Math.Max(1, statements.Count):F1} %)"));
        foreach (var file in statements.Where(s => tellsStatements && !s.IsReached).GroupBy(s => s.File))
        {
            output.WriteLine($"not reached in {file.Key}:");
            foreach (var s in file)
            {
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {s.Line,4}: {s.Text}"));
            }
        }

        return WriteRules(statements);
    }

    private int WriteRules(List<Statement> statements)
    {
        var rules = CoverageList.Read("rules.txt");
        var missing = 0;
        foreach (var rule in rules)
        {
            if (rule.File == "states")
            {
                missing += transitions.Contains(rule.Text) ? 0 : 1;
                if (!transitions.Contains(rule.Text))
                {
                    output.WriteLine($"no seed reached the transition {rule.Name}");
                }

                continue;
            }

            var found = statements.Where(s => rule.Matches(s.File, s.Text)).ToList();
            // Where the same words stand twice, both have to be reached: else one would stand for the other.
            if (found.Count == 0 || found.Exists(s => !s.IsReached))
            {
                output.WriteLine(found.Count == 0
                    ? $"rules.txt names a statement that is not there any more: {rule.Name}"
                    : $"no seed reached the rule {rule.Name}");
                missing++;
            }
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"rules, transitions and refusals reached: {rules.Count - missing} of {rules.Count}"));
        return missing;
    }

    private static List<Statement> Collect()
    {
        var texts = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var found = new List<Statement>();
        for (var i = 0; i < CoverageHits.Statements.Count; i++)
        {
            var s = CoverageHits.Statements[i];
            var path = s.Path.Replace('\\', '/');
            if (System.Array.Find(_rooms, r => path.Contains("/" + r, StringComparison.Ordinal)) is not { } room)
            {
                continue;
            }

            if (!texts.TryGetValue(path, out var lines))
            {
                texts.Add(path, lines = File.Exists(path) ? File.ReadAllLines(path) : []);
            }

            var text = s.Line <= lines.Length ? lines[s.Line - 1].Trim() : string.Empty;
            if (text is "{" or "}" or "};" or ")" or ");")
            {
                // A statement is where it begins; its end is no other one.
                continue;
            }

            found.Add(new Statement(path[path.IndexOf("/" + room, StringComparison.Ordinal)..].TrimStart('/'), s.Line, text, CoverageHits.Reached[i] != 0));
        }

        // A statement that is compiled twice, as in a generic or async method, is reached if one of them is.
        return [.. found.GroupBy(s => (s.File, s.Line)).Select(g => g.First() with { IsReached = g.Any(s => s.IsReached) }).OrderBy(s => s.File, StringComparer.Ordinal).ThenBy(s => s.Line)];
    }

    private sealed record Statement(string File, int Line, string Text, bool IsReached);
}
