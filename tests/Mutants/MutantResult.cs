using System.Globalization;
using MirrorController.Tests.Harness.Mutants;

namespace MirrorController.Tests.Mutants;

/// <summary>What became of a mutant.</summary>
/// <param name="Mutant">The mutant.</param>
/// <param name="Seeds">After how many seeds it was found; those tried, if it survived.</param>
/// <param name="Seconds">How long the seeds took.</param>
/// <param name="Cause">What was seen, in short; null if it survived.</param>
internal sealed record MutantResult(Mutant Mutant, int Seeds, double Seconds, string? Cause)
{
    /// <summary>Gets whether the simulator found it.</summary>
    public bool IsFound => Cause is not null;

    /// <summary>Gets the line of the table.</summary>
    public string Row =>
        $"| {Mutant.Rule} | `{Mutant.Name}` | {Escaped(Mutant.TakenOut)} | {(IsFound ? Seeds.ToString(CultureInfo.InvariantCulture) : $"not in {Seeds}")} | {Escaped(Cause ?? "")} |";

    public override string ToString() => Cause is null
        ? string.Create(CultureInfo.InvariantCulture, $"{Mutant.Name}: SURVIVED {Seeds} seeds, in {Seconds:F0} s")
        : string.Create(CultureInfo.InvariantCulture, $"{Mutant.Name}: found after {Seeds} seeds, in {Seconds:F0} s: {Cause}");

    private static string Escaped(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
