using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

namespace MirrorController.Firmware.Disks;

/// <content>What a start makes of the cache that a death has left.</content>
public sealed partial class VolatileCacheDisk
{
    /// <summary>Lets each sector keep the version of the medium or one of the log's, by a seed that the node's log names.</summary>
    private void Settle(IRandomSource random, INodeLog log)
    {
        if (_cache.WasOfAnotherBoot)
        {
            log.Warning($"The system has restarted since {Name} was in use; what its cache held is gone.");
        }

        var records = _cache.ReadAll(SizeBytes / SectorBytes);
        if (records.Count == 0)
        {
            return;
        }

        var seed = random.NextNonZero();
        var kept = 0;
        var versions = Versions(records);
        foreach (var (sector, positions) in versions)
        {
            var chosen = Choose(seed, sector, positions.Count);
            if (chosen > 0)
            {
                kept++;
                if (MoveRun(sector, 1, positions[chosen - 1]) is { } fault)
                {
                    throw new IOException($"The cache of the {_disk.Name} cannot be settled: {fault}");
                }
            }
        }

        _cache.Reset();
        log.Info($"The power cut of {Name} met {versions.Count} unsynced sectors in {records.Count} operations; {kept} of them keep a new version, by the seed {seed}.");
    }

    /// <summary>Gets the versions of each sector, oldest first, as positions in the log.</summary>
    private static SortedDictionary<long, List<int>> Versions(List<CacheRecord> records)
    {
        var versions = new SortedDictionary<long, List<int>>();
        foreach (var record in records)
        {
            for (var i = 0; i < record.SectorCount; i++)
            {
                var sector = record.FirstSector + i;
                if (record.Kind == CacheRecordKind.Dropped)
                {
                    versions.Remove(sector);
                    continue;
                }

                if (!versions.TryGetValue(sector, out var positions))
                {
                    versions.Add(sector, positions = []);
                }

                positions.Add(record.Kind == CacheRecordKind.Zero ? SectorMap.Zero : record.Position + i);
            }
        }

        return versions;
    }

    /// <summary>Chooses a version, 0 for the medium's; every eighth seed keeps nothing, and every eighth everything, which single draws hardly ever do.</summary>
    private static int Choose(ulong seed, long sector, int count) => ((seed >> 40) % 8) switch
    {
        0 => 0,
        1 => count,
        _ => (int)(Mix(seed ^ ((ulong)sector * 0x9E3779B97F4A7C15)) % (ulong)(count + 1)),
    };

    // The finish of splitmix64: neighbours get unrelated numbers.
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
