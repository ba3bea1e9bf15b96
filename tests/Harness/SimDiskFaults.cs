namespace MirrorController.Tests.Harness;

/// <summary>What an operation of a simulated disk is, as a judge of faults sees it.</summary>
public enum SimDiskOperation
{
    Write,
    WriteSync,
    Read,
    Zero,
    Sync,
}

/// <summary>What a simulated disk is to do wrong. It stays over power cuts, as a bad disk does.</summary>
public sealed class SimDiskFaults
{
    /// <summary>Gets or sets how many of the next writes fail, of whatever form.</summary>
    public int FailWrites { get; set; }

    /// <summary>Gets or sets whether a failed write has reached the cache all the same: the error came afterwards.</summary>
    public bool FailedWritesAreTaken { get; set; }

    /// <summary>Gets or sets how many of the next reads fail.</summary>
    public int FailReads { get; set; }

    /// <summary>Gets or sets how many of the next syncs fail.</summary>
    /// <remarks>As with real systems the pages count as clean afterwards: they are still read until the power goes, and no later sync writes them.</remarks>
    public int FailSyncs { get; set; }

    /// <summary>Gets or sets a judge of single operations: a sentence is a fault, null lets it pass.</summary>
    public Func<SimDiskOperation, long, long, string?>? Judge { get; set; }

    /// <summary>Gets or sets whether the disk has no room: no write is taken.</summary>
    public bool IsFull { get; set; }

    /// <summary>Gets or sets whether operations begin and do not end until this is false again.</summary>
    public bool IsHanging { get; set; }

    /// <summary>Gets or sets a time added to every operation: a slow disk.</summary>
    public long ExtraDelayMicros { get; set; }
}
