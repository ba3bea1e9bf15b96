namespace MirrorController.Tests.Simulation.Coverage;

/// <summary>Where the instrumented code notes what it has reached. Any thread writes, and always the same value.</summary>
public static class CoverageHits
{
    /// <summary>How many statements there may be.</summary>
    public const int Max = 1 << 16;

    /// <summary>A byte for each statement; 1 once it was reached.</summary>
    public static readonly byte[] Reached = new byte[Max];

    /// <summary>Gets or sets the statements, by their number; empty where nothing is instrumented.</summary>
    public static IReadOnlyList<CoveredStatement> Statements { get; set; } = [];
}
