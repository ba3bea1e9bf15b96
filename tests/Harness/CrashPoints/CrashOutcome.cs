namespace MirrorController.Tests.Harness.CrashPoints;

/// <summary>What came of a run.</summary>
/// <param name="WasMet">Whether the last cut of its path came at all.</param>
/// <param name="State">The sum over the state after the last cut.</param>
/// <param name="IsNew">Whether the state was not known, so that its recovery was run and judged.</param>
/// <param name="Steps">The steps of each victim in what followed the last cut, up to the end of the recovery; without a cut, in the story.
/// Each tells whether a cut there leaves something else than one at the victim's step before.</param>
public sealed record CrashOutcome(bool WasMet, ulong State, bool IsNew, IReadOnlyDictionary<string, List<bool>> Steps);
