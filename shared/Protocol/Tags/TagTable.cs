using MirrorController.Protocol.Blocks;

namespace MirrorController.Protocol.Tags;

/// <summary>A member's unretired tags with their block ranges, in tag order: the working copy of what the NVM holds.</summary>
/// <remarks>Tag tables 76 and 86 of the patent. The table is told what NVM holds; it stores nothing itself.</remarks>
public sealed class TagTable
{
    private readonly RangeBuckets<TagEntry> _byRange = new();
    private readonly Stack<TagEntry> _free = new();
    private TagEntry[] _ring = new TagEntry[64];
    private int _head;

    /// <summary>Gets the number of entries.</summary>
    public int Count { get; private set; }

    /// <summary>Gets the entry at a place in tag order.</summary>
    public TagEntry this[int index] => _ring[(_head + index) & (_ring.Length - 1)];

    /// <summary>Takes an empty entry, to be filled and given to <see cref="Add"/>.</summary>
    public TagEntry NewEntry()
    {
        if (!_free.TryPop(out var entry))
        {
            return new TagEntry();
        }

        entry.Sure = false;
        entry.Stored = false;
        entry.InProgress = false;
        entry.Token = 0;
        entry.LogPosition = 0;
        return entry;
    }

    /// <summary>Adds an entry; its tag must not be in the table.</summary>
    public void Add(TagEntry entry)
    {
        Invariant.Check(entry.Range.Count > 0, "an entry covers at least one block");
        if (Count == _ring.Length)
        {
            Grow();
        }

        // Tags come in order but for what a replay or a scan brings: find the place from the end.
        var mask = _ring.Length - 1;
        var at = Count;
        while (at > 0 && _ring[(_head + at - 1) & mask].Tag > entry.Tag)
        {
            _ring[(_head + at) & mask] = _ring[(_head + at - 1) & mask];
            at--;
        }

        Invariant.Check(at == 0 || _ring[(_head + at - 1) & mask].Tag != entry.Tag, "a tag is in the table once");
        _ring[(_head + at) & mask] = entry;
        Count++;
        _byRange.Add(entry);
    }

    /// <summary>Finds an entry by its tag.</summary>
    public TagEntry? Find(Tag tag)
    {
        int low = 0, high = Count - 1;
        while (low <= high)
        {
            var mid = (low + high) >> 1;
            var entry = this[mid];
            if (entry.Tag == tag)
            {
                return entry;
            }

            if (entry.Tag < tag)
            {
                low = mid + 1;
            }
            else
            {
                high = mid - 1;
            }
        }

        return null;
    }

    /// <summary>Removes every entry whose tag is at most <paramref name="retired"/> (rule D5); they are reused, so nobody may keep them.</summary>
    /// <returns>How many went.</returns>
    public int RemoveThrough(Tag retired)
    {
        var mask = _ring.Length - 1;
        var removed = 0;
        while (Count > 0 && _ring[_head].Tag <= retired)
        {
            var entry = _ring[_head];
            _ring[_head] = null!;
            _head = (_head + 1) & mask;
            Count--;
            removed++;
            _byRange.Remove(entry);
            _free.Push(entry);
        }

        return removed;
    }

    /// <summary>Removes one entry, wherever it stands: a repair mark takes its place (rule W7). It is reused.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Remove(Tag tag)
    {
        var mask = _ring.Length - 1;
        for (var at = Count - 1; at >= 0 && this[at].Tag >= tag; at--)
        {
            var entry = this[at];
            if (entry.Tag != tag)
            {
                continue;
            }

            for (var i = at; i < Count - 1; i++)
            {
                _ring[(_head + i) & mask] = this[i + 1];
            }

            Count--;
            _ring[(_head + Count) & mask] = null!;
            _byRange.Remove(entry);
            _free.Push(entry);
            return true;
        }

        return false;
    }

    /// <summary>Makes every entry above the durable mark unsure: the board counts as restarted (rules B2, D1).</summary>
    public void MakeUnsureAbove(Tag durable)
    {
        for (var i = Count - 1; i >= 0 && this[i].Tag > durable; i--)
        {
            this[i].Sure = false;
        }
    }

    /// <summary>Finds the parts of a range that no entry newer than <paramref name="tag"/> covers (rules B3, W4).</summary>
    /// <param name="range">The blocks of a write.</param>
    /// <param name="tag">The write's tag.</param>
    /// <param name="uncovered">Gets the parts, in order; cleared first.</param>
    /// <returns>True if some block is covered by a newer entry.</returns>
    public bool FindUncovered(BlockRange range, Tag tag, List<BlockRange> uncovered)
    {
        uncovered.Clear();
        uncovered.Add(range);
        var covered = false;
        foreach (var entry in _byRange.Overlapping(range))
        {
            if (entry.Tag <= tag)
            {
                continue;
            }

            covered = true;
            for (var i = uncovered.Count - 1; i >= 0; i--)
            {
                var part = uncovered[i];
                if (!part.Overlaps(entry.Range))
                {
                    continue;
                }

                uncovered.RemoveAt(i);
                if (entry.Range.End < part.End)
                {
                    uncovered.Insert(i, BlockRange.FromTo(entry.Range.End, part.End));
                }

                if (part.Start < entry.Range.Start)
                {
                    uncovered.Insert(i, BlockRange.FromTo(part.Start, entry.Range.Start));
                }
            }
        }

        return covered;
    }

    /// <summary>Starts a walk over the entries that overlap a range.</summary>
    public RangeBuckets<TagEntry>.OverlapEnumerator Overlapping(BlockRange range) => _byRange.Overlapping(range);

    private void Grow()
    {
        var larger = new TagEntry[_ring.Length * 2];
        for (var i = 0; i < Count; i++)
        {
            larger[i] = this[i];
        }

        _ring = larger;
        _head = 0;
    }
}
