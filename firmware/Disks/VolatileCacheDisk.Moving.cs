using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

namespace MirrorController.Firmware.Disks;

/// <content>Data between the node, the cache and the medium. Each method returns a fault as a sentence, or null.</content>
public sealed partial class VolatileCacheDisk
{
    private string? WriteNow(long offsetBytes, Payload payload)
    {
        if (payload.Length == 0)
        {
            return null;
        }

        var whole = WholeSectors(ref offsetBytes, payload, out var fault);
        if (whole is null)
        {
            return fault;
        }

        var count = whole.Length / SectorBytes;
        if (count > _cache.RoomSectors && MoveToMedium() is { } moveFault)
        {
            return moveFault;
        }

        if (count > _cache.CapacitySectors)
        {
            // Larger than the cache: written through. No version of it is older than the newest one.
            return FileCalls.Write(_disk.File, offsetBytes, whole).Fault;
        }

        var first = offsetBytes / SectorBytes;
        _map.Set(first, count, _cache.Append(first, whole));
        return null;
    }

    private string? WriteThroughNow(long offsetBytes, Payload payload)
    {
        if (payload.Length == 0)
        {
            return null;
        }

        var whole = WholeSectors(ref offsetBytes, payload, out var fault);
        if (whole is null)
        {
            return fault;
        }

        if (_cache.RoomSectors < 0 && MoveToMedium() is { } moveFault)
        {
            return moveFault;
        }

        var status = FileCalls.Write(_disk.File, offsetBytes, whole);
        var (first, count) = (offsetBytes / SectorBytes, whole.Length / SectorBytes);
        // Looked up in the log, not in the map alone: a map without the range means that no version of it is in the log.
        if (status.IsOk && _map.HasAny(first, count))
        {
            _cache.Append(CacheRecordKind.Dropped, first, count);
            _map.Remove(first, count);
        }

        return status.Fault;
    }

    private string? ReadNow(long offsetBytes, Span<byte> into)
    {
        var status = FileCalls.Read(_disk.File, offsetBytes, into);
        if (!status.IsOk || _map.IsEmpty || into.IsEmpty)
        {
            return status.Fault;
        }

        var first = offsetBytes / SectorBytes;
        var end = (offsetBytes + into.Length + SectorBytes - 1) / SectorBytes;
        for (var sector = first; sector < end;)
        {
            var count = _map.Run(sector, end - sector, out var position);
            if (position != SectorMap.None)
            {
                // The first and the last sector may be asked for in part.
                var from = Math.Max(sector * SectorBytes, offsetBytes);
                var to = Math.Min((sector + count) * SectorBytes, offsetBytes + into.Length);
                var target = into.Slice((int)(from - offsetBytes), (int)(to - from));
                if (position == SectorMap.Zero)
                {
                    target.Clear();
                }
                else
                {
                    _cache.At(position, count).Slice((int)(from - (sector * SectorBytes)), target.Length).CopyTo(target);
                }
            }

            sector += count;
        }

        return null;
    }

    private string? ZeroRange(long offsetBytes, long lengthBytes)
    {
        var isWhole = offsetBytes % SectorBytes == 0 && lengthBytes % SectorBytes == 0;
        if (!isWhole || lengthBytes > ZeroCachedMax || _cache.RoomSectors < 0)
        {
            if (MoveToMedium() is { } fault)
            {
                return fault;
            }

            if (!isWhole || lengthBytes > ZeroCachedMax)
            {
                // Zeroed through: with nothing in the cache no older version can come back.
                return _disk.ZeroNow(offsetBytes, lengthBytes).Fault;
            }
        }

        if (lengthBytes > 0)
        {
            _cache.Append(CacheRecordKind.Zero, offsetBytes / SectorBytes, lengthBytes / SectorBytes);
            _map.Set(offsetBytes / SectorBytes, lengthBytes / SectorBytes, SectorMap.Zero);
        }

        return null;
    }

    /// <summary>Moves the newest versions to the medium, then empties the cache.</summary>
    private string? MoveToMedium()
    {
        if (_cache.IsEmpty)
        {
            return null;
        }

        var (stretches, length) = _map.Stretches();
        var sectors = SizeBytes / SectorBytes;
        foreach (var stretch in stretches)
        {
            var end = Math.Min(stretch + length, sectors);
            for (var sector = stretch; sector < end;)
            {
                var count = _map.Run(sector, end - sector, out var position);
                if (MoveRun(sector, count, position) is { } fault)
                {
                    return fault;
                }

                sector += count;
            }
        }

        _cache.Reset();
        _map.Clear();
        return null;
    }

    private string? MoveRun(long firstSector, long count, int position) => position switch
    {
        SectorMap.None => null,
        SectorMap.Zero => _disk.ZeroNow(firstSector * SectorBytes, count * SectorBytes).Fault,
        _ => FileCalls.Write(_disk.File, firstSector * SectorBytes, _cache.At(position, count)).Fault,
    };

    /// <summary>Gets the payload, or, where it ends within sectors, a copy completed by what a read of these returns.</summary>
    private Payload? WholeSectors(ref long offsetBytes, Payload payload, out string? fault)
    {
        fault = null;
        var before = (int)(offsetBytes % SectorBytes);
        if (before == 0 && payload.Length % SectorBytes == 0)
        {
            return payload;
        }

        var bytes = new byte[(before + payload.Length + SectorBytes - 1) / SectorBytes * SectorBytes];
        offsetBytes -= before;
        fault = ReadNow(offsetBytes, bytes);
        if (fault is not null)
        {
            return null;
        }

        payload.CopyTo(0, bytes.AsSpan(before));
        return Payload.Take(Slice.Copy(bytes));
    }
}
