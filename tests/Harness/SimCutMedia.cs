namespace MirrorController.Tests.Harness;

/// <summary>What a power cut leaves of what was not durable.</summary>
public enum SimCutMedia
{
    /// <summary>Drawn for each cut: everything, nothing, or each sector by itself.</summary>
    Drawn,

    /// <summary>Nothing of it: no unsynced sector, no byte of a chip's running write.</summary>
    Lost,

    /// <summary>All of it.</summary>
    Kept,

    /// <summary>Each sector by itself, a chip's write up to some byte.</summary>
    Mixed,
}
