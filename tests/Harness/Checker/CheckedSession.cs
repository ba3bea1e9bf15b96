namespace MirrorController.Tests.Harness.Checker;

/// <summary>One life of a coordinator, as its applications see it; it may come to open a session of the volume, or never.</summary>
public sealed class CheckedSession
{
    private readonly Dictionary<long, SessionSector> _sectors = [];

    internal CheckedSession(string name)
    {
        Name = name;
    }

    public string Name { get; }

    /// <summary>Gets the number of its session; 0 before it is open.</summary>
    public uint Number { get; internal set; }

    /// <summary>Gets the moment at which it was seen open; 0 before.</summary>
    public long Opened { get; internal set; }

    /// <summary>Gets the session opened before this one.</summary>
    public CheckedSession? Previous { get; internal set; }

    /// <summary>Gets the moment before which everything acknowledged is flushed.</summary>
    internal long ProtectedBefore { get; set; }

    /// <summary>Gets what is acknowledged and nobody has flushed.</summary>
    internal List<CheckedWrite> Unpromised { get; } = [];

    internal SessionSector? Find(long sector) => _sectors.GetValueOrDefault(sector);

    internal SessionSector At(long sector)
    {
        if (!_sectors.TryGetValue(sector, out var found))
        {
            _sectors.Add(sector, found = new SessionSector());
        }

        return found;
    }

    internal IEnumerable<(long Sector, SessionSector State)> Sectors => _sectors.Select(p => (p.Key, p.Value));
}
