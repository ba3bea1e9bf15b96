namespace MirrorController.Tests.Harness.CrashPoints;

/// <summary>How thoroughly crash points are explored.</summary>
public sealed record CrashExplorerOptions
{
    /// <summary>Gets how many cuts follow each other: 1, or 2 for a cut in each recovery.</summary>
    public int Depth { get; init; } = 2;

    /// <summary>Gets whether each first cut is made in every way; else in one, by turns.</summary>
    public bool AllModes { get; init; } = true;

    /// <summary>Gets of how many second cuts one is made, always the same ones; 1 for all.</summary>
    public int SecondOneIn { get; init; } = 1;

    /// <summary>Gets how many cores are used.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}
