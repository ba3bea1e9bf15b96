namespace MirrorController.HostAgent.Rig.Torture;

/// <summary>One write of the load as the checker remembers it. Moments are the checker's own counter: no two events share one.</summary>
/// <param name="version">Its number, 1 and up; 0 for the zeroes of a new volume.</param>
/// <param name="firstSector">Where it begins.</param>
/// <param name="sectors">How many sectors it has.</param>
/// <param name="fua">Whether it was asked to be durable when acknowledged.</param>
/// <param name="life">The host's life in which it was issued.</param>
/// <param name="issued">The moment of its issue.</param>
internal sealed class TortureWrite(long version, long firstSector, int sectors, bool fua, int life, long issued)
{
    public long Version { get; } = version;

    public long FirstSector { get; } = firstSector;

    public int Sectors { get; } = sectors;

    public bool Fua { get; } = fua;

    public int Life { get; } = life;

    public long Issued { get; } = issued;

    /// <summary>Gets or sets the moment of its acknowledgement, or of the host's death; it can take effect no later.</summary>
    public long Ended { get; set; } = long.MaxValue;

    /// <summary>Gets or sets whether the host died before it was acknowledged.</summary>
    public bool IsLost { get; set; }

    /// <summary>Gets or sets the moment from which it was protected; 0 while it is not.</summary>
    public long Protected { get; set; }

    /// <inheritdoc/>
    public override string ToString()
    {
        if (Version == 0)
        {
            return "version 0, the zeroes of a new volume";
        }

        var end = IsLost ? $"the host died at {Ended} before it was acknowledged"
            : Ended == long.MaxValue ? "not yet answered"
            : $"acknowledged at {Ended}";
        var kept = Protected == 0 ? "" : Fua ? ", FUA" : $", flushed at {Protected}";
        return $"version {Version}: sectors {FirstSector} to {FirstSector + Sectors - 1}, host's life {Life}, issued at {Issued}, {end}{kept}";
    }
}

/// <summary>A version that a sector may hold.</summary>
/// <param name="Write">The write.</param>
/// <param name="Superseded">The moment from which no read issued later may return it; <see cref="long.MaxValue"/> while there is none.</param>
/// <param name="IsDead">Whether no death of the host brings it back either.</param>
internal readonly record struct SectorVersion(TortureWrite Write, long Superseded, bool IsDead);
