namespace MirrorController.Tests.Harness.Checker;

/// <summary>What one session did to one sector, and what it found there.</summary>
internal sealed class SessionSector
{
    /// <summary>Gets the writes that touch it, with the cells they cover, in the order of their issue.</summary>
    public List<SectorVersion> Versions { get; } = [];

    /// <summary>Gets what the session found in each cell, once a read has told: from then on it is nothing else.</summary>
    public CheckedWrite?[] Found { get; } = new CheckedWrite?[ConsistencyChecker.SectorBytes / CheckedWrite.CellBytes];
}

/// <summary>One write in one sector.</summary>
/// <param name="Write">The write.</param>
/// <param name="Cells">A bit for each cell that it covers.</param>
internal sealed record SectorVersion(CheckedWrite Write, byte Cells)
{
    /// <summary>Gets or sets the moment at which the first read that returned it had ended; 0 before.</summary>
    public long Observed { get; set; }

    /// <summary>Gets the moment from which no read may return an older one; never while nobody knows of it.</summary>
    public long Visible => (Write.Acknowledged, Observed) switch
    {
        (0, 0) => long.MaxValue,
        (0, var o) => o,
        (var a, 0) => a,
        var (a, o) => Math.Min(a, o),
    };
}
