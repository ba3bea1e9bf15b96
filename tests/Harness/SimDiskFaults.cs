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
    /// <summary>Tells whether a range cannot be read.</summary>
    public bool IsSpoiled(long offsetBytes, long lengthBytes) =>
        Spoiled.Exists(s => s.OffsetBytes < offsetBytes + lengthBytes && offsetBytes < s.OffsetBytes + s.LengthBytes);

    /// <summary>Lets a range be read again: it was written, or its trouble is over.</summary>
    internal void Heal(long offsetBytes, long lengthBytes)
    {
        for (var i = Spoiled.Count - 1; i >= 0; i--)
        {
            var (start, end) = (Spoiled[i].OffsetBytes, Spoiled[i].OffsetBytes + Spoiled[i].LengthBytes);
            var (from, to) = (Math.Max(start, offsetBytes), Math.Min(end, offsetBytes + lengthBytes));
            if (from >= to)
            {
                continue;
            }

            Spoiled.RemoveAt(i);
            if (start < from)
            {
                Spoiled.Add((start, from - start));
            }

            if (to < end)
            {
                Spoiled.Add((to, end - to));
            }
        }
    }

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

    /// <summary>Gets or sets whether the system failed to write pages back in the background: the next sync or synchronous write tells, and only that one.</summary>
    public bool HasUnreportedError { get; set; }

    /// <summary>Gets the ranges in bytes that cannot be read until they are written again, or until they are taken from here.</summary>
    public List<(long OffsetBytes, long LengthBytes)> Spoiled { get; } = [];

    /// <summary>Gets or sets whether the disk is not there when a node looks for it; one that is open fails in everything.</summary>
    public bool IsAway
    {
        get;
        set
        {
            UnpluggedCount += value && !field ? 1 : 0;
            field = value;
        }
    }

    /// <summary>Gets how often the disk was taken away: who had it open before has a dead handle.</summary>
    public int UnpluggedCount { get; private set; }

    /// <summary>Gets or sets whether the disk has no room: no write is taken.</summary>
    public bool IsFull { get; set; }

    /// <summary>Gets or sets whether operations begin and do not end until this is false again.</summary>
    public bool IsHanging { get; set; }

    /// <summary>Gets or sets a time added to whatever makes something durable: writes go to a cache, and a sync has to get them to the medium.</summary>
    public long ExtraSyncDelayMicros { get; set; }

    /// <summary>Gets or sets a time added to every operation: a slow disk.</summary>
    public long ExtraDelayMicros { get; set; }
}
