namespace MirrorController.Tests.Mutants;

/// <summary>How mutants are tried.</summary>
/// <param name="Seeds">Within how many seeds each must be found; null: what its file says, or the usual number.</param>
/// <param name="Jobs">How many are built and run at once.</param>
/// <param name="Timeout">How long one may take; what does not end counts as found.</param>
/// <param name="Source">The top of the source tree.</param>
internal sealed record MutantOptions(int? Seeds, int Jobs, TimeSpan Timeout, string Source)
{
    /// <summary>Within how many seeds a mutant must be found when nothing else was said.</summary>
    public const int SeedsDefault = 400;
}
