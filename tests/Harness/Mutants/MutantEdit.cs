namespace MirrorController.Tests.Harness.Mutants;

/// <summary>One edit of a mutant: a text that occurs exactly once in a file, and what takes its place.</summary>
/// <param name="File">The file, from the top of the source tree.</param>
/// <param name="OldText">What is there.</param>
/// <param name="NewText">What is put there.</param>
public sealed record MutantEdit(string File, string OldText, string NewText)
{
    /// <summary>Makes the edit in the text of the file.</summary>
    /// <exception cref="FormatException">The old text does not occur exactly once, or the edit changes nothing.</exception>
    public string Apply(string text)
    {
        var at = text.IndexOf(OldText, StringComparison.Ordinal);
        if (at < 0)
        {
            throw new FormatException($"{File} does not have the text \"{FirstLine}\".");
        }

        if (text.IndexOf(OldText, at + 1, StringComparison.Ordinal) >= 0)
        {
            throw new FormatException($"{File} has the text \"{FirstLine}\" more than once.");
        }

        return OldText == NewText
            ? throw new FormatException($"The edit of \"{FirstLine}\" in {File} changes nothing.")
            : string.Concat(text.AsSpan(0, at), NewText, text.AsSpan(at + OldText.Length));
    }

    private string FirstLine => OldText.Trim().Split('\n')[0];
}
