namespace MirrorController.Firmware.Disks;

/// <summary>Where in a cache log the newest version of each cached sector lies.</summary>
internal sealed class SectorMap
{
    /// <summary>The sector is not cached.</summary>
    public const int None = 0;

    /// <summary>The sector is cached as zeroes, which lie nowhere.</summary>
    public const int Zero = -1;

    private const int PageSectors = 1024;

    private readonly Dictionary<long, int[]> _pages = [];
    private readonly Stack<int[]> _free = new();

    /// <summary>Gets whether no sector is cached. Only clearing everything is sure to make it true again.</summary>
    public bool IsEmpty => _pages.Count == 0;

    /// <summary>Notes that sectors lie one after another from a position on, or are <see cref="Zero"/>.</summary>
    public void Set(long firstSector, long count, int position)
    {
        while (count > 0)
        {
            var page = Page(firstSector / PageSectors);
            var at = (int)(firstSector % PageSectors);
            var n = (int)Math.Min(count, PageSectors - at);
            if (position == Zero)
            {
                page.AsSpan(at, n).Fill(Zero);
            }
            else
            {
                for (var i = 0; i < n; i++)
                {
                    page[at + i] = position++;
                }
            }

            firstSector += n;
            count -= n;
        }
    }

    /// <summary>Gets a sector at or before which, from a sector on, the first cached one can be: no sector before it is cached.</summary>
    public long NextCachedPage(long firstSector)
    {
        var next = long.MaxValue / PageSectors / CacheLog.SectorBytes;
        foreach (var page in _pages.Keys)
        {
            if (page >= firstSector / PageSectors && page < next)
            {
                next = page;
            }
        }

        return next * PageSectors;
    }

    /// <summary>Forgets sectors.</summary>
    public void Remove(long firstSector, long count)
    {
        while (count > 0)
        {
            var at = (int)(firstSector % PageSectors);
            var n = (int)Math.Min(count, PageSectors - at);
            if (_pages.TryGetValue(firstSector / PageSectors, out var page))
            {
                page.AsSpan(at, n).Clear();
            }

            firstSector += n;
            count -= n;
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        foreach (var page in _pages.Values)
        {
            page.AsSpan().Clear();
            _free.Push(page);
        }

        _pages.Clear();
    }

    /// <summary>Gets whether any sector of a range is cached.</summary>
    public bool HasAny(long firstSector, long count)
    {
        for (var end = firstSector + count; firstSector < end;)
        {
            firstSector += Run(firstSector, end - firstSector, out var position);
            if (position != None)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Gets how many sectors, at most so many, can be taken together with the first: all none, all zero, or one after another in the log.</summary>
    public long Run(long firstSector, long countMax, out int position)
    {
        var at = (int)(firstSector % PageSectors);
        var max = (int)Math.Min(countMax, PageSectors - at);
        if (!_pages.TryGetValue(firstSector / PageSectors, out var page))
        {
            position = None;
            return max;
        }

        position = page[at];
        var step = position > 0 ? 1 : 0;
        var n = 1;
        while (n < max && page[at + n] == position + (n * step))
        {
            n++;
        }

        return n;
    }

    /// <summary>Gets the first sectors of all stretches in which something may be cached, in order, and the stretch's length.</summary>
    public (long[] FirstSectors, int Count) Stretches()
    {
        var firsts = _pages.Keys.Select(p => p * PageSectors).ToArray();
        System.Array.Sort(firsts);
        return (firsts, PageSectors);
    }

    private int[] Page(long index)
    {
        if (!_pages.TryGetValue(index, out var page))
        {
            page = _free.TryPop(out var free) ? free : new int[PageSectors];
            _pages.Add(index, page);
        }

        return page;
    }
}
