namespace MirrorController.Protocol.Nvm;

/// <summary>What a chip turned out to be.</summary>
public enum NvmOpenState
{
    /// <summary>Ours and whole: the board may start.</summary>
    Ok,

    /// <summary>Never used: only creation may follow.</summary>
    Blank,

    /// <summary>Something else is on it: refused, never written to unless an operator says so.</summary>
    Foreign,

    /// <summary>Written by a newer version: refused, never called blank.</summary>
    Newer,

    /// <summary>Ours, but not to be trusted: the board counts as blank.</summary>
    Damaged,

    /// <summary>The chip does not answer.</summary>
    Failed,
}

/// <summary>The outcome of opening a chip.</summary>
/// <param name="State">What it is.</param>
/// <param name="Sentence">One sentence about it, for log and status.</param>
public readonly record struct NvmOpenResult(NvmOpenState State, string Sentence)
{
    /// <summary>Gets whether a board superblock of ours was seen that is valid, or of a newer format: the chip is some board's, whatever else is wrong with it, and is never formatted.</summary>
    public bool HoldsOurs { get; init; }
}
