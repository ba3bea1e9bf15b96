namespace MirrorController.Protocol.Nvm;

/// <summary>Repair marks, each with the log position of its record; none absorbs another, so the order in which they came does not matter.</summary>
/// <remarks>It must not: copying forward changes the order of their records.</remarks>
internal sealed class RepairMarkSet
{
    private readonly List<RepairMark> _marks = [];
    private readonly List<long> _positions = [];

    /// <summary>Gets the marks.</summary>
    public IReadOnlyList<RepairMark> Marks => _marks;

    /// <summary>Adds a mark in the place of those it absorbs, unless one that is there absorbs it.</summary>
    public void Put(RepairMark mark, long position)
    {
        foreach (var known in _marks)
        {
            if (known.Absorbs(mark) && !mark.Absorbs(known))
            {
                return;
            }
        }

        for (var i = _marks.Count - 1; i >= 0; i--)
        {
            if (mark.Absorbs(_marks[i]))
            {
                RemoveAt(i);
            }
        }

        _marks.Add(mark);
        _positions.Add(position);
    }

    /// <summary>Takes out the two marks whose union is shortest and returns it.</summary>
    public RepairMark TakeClosestPair()
    {
        int bestA = 0, bestB = 1;
        var best = long.MaxValue;
        for (var a = 0; a < _marks.Count; a++)
        {
            for (var b = a + 1; b < _marks.Count; b++)
            {
                var length = Math.Max(_marks[a].Range.End, _marks[b].Range.End) - Math.Min(_marks[a].Range.Start, _marks[b].Range.Start);
                if (length < best)
                {
                    (best, bestA, bestB) = (length, a, b);
                }
            }
        }

        var merged = _marks[bestA].MergeWith(_marks[bestB]);
        RemoveAt(bestB);
        RemoveAt(bestA);
        return merged;
    }

    /// <summary>Removes the marks of sessions below a number.</summary>
    public void Clear(uint belowSession)
    {
        for (var i = _marks.Count - 1; i >= 0; i--)
        {
            if (_marks[i].Session < belowSession)
            {
                RemoveAt(i);
            }
        }
    }

    /// <summary>Removes all.</summary>
    public void Clear()
    {
        _marks.Clear();
        _positions.Clear();
    }

    /// <summary>Gets where a mark's record stands.</summary>
    public long Position(int index) => _positions[index];

    /// <summary>Notes where a mark's record stands now.</summary>
    public void SetPosition(int index, long position) => _positions[index] = position;

    private void RemoveAt(int index)
    {
        _marks.RemoveAt(index);
        _positions.RemoveAt(index);
    }
}
