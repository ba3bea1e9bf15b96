namespace MirrorController.Protocol.Blocks;

/// <summary>A set of blocks, kept as disjoint ranges that do not touch: closed blocks, bad blocks, repair marks.</summary>
/// <remarks>
/// A treap ordered by start: looking up, adding and removing a range cost O(log n) for n ranges, plus the ranges that the
/// change swallows. Its priorities come from a hash of the start, so its shape depends on the content alone.
/// Nodes are reused; look-ups and the enumeration allocate nothing. Ends are 64 bits inside: a set may be larger than one
/// <see cref="BlockRange"/>.
/// </remarks>
public sealed class RangeSet
{
    private readonly Stack<Node> _free = new();
    private Node? _root;

    /// <summary>Gets the number of disjoint ranges.</summary>
    public int Count { get; private set; }

    /// <summary>Gets the number of blocks.</summary>
    public long BlockCount { get; private set; }

    /// <summary>Gets whether there is no block in the set.</summary>
    public bool IsEmpty => _root is null;

    /// <summary>Makes a set of ranges, which may overlap and come in any order.</summary>
    public static RangeSet From(IEnumerable<BlockRange> ranges)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        var set = new RangeSet();
        foreach (var range in ranges)
        {
            set.Add(range);
        }

        return set;
    }

    /// <summary>Adds every block of a range.</summary>
    public void Add(BlockRange range)
    {
        CheckRange(range);
        var start = range.Start;
        var end = range.End;
        var before = Floor(start);
        if (before is not null && before.End >= start)
        {
            if (before.End >= end)
            {
                return;
            }

            start = before.Start;
            Delete(start);
        }

        // What starts within the range or touches its end becomes part of it.
        for (var next = Ceiling(start); next is not null && next.Start <= end; next = Ceiling(start))
        {
            end = Math.Max(end, next.End);
            Delete(next.Start);
        }

        Insert(start, end);
    }

    /// <summary>Removes every block of a range.</summary>
    public void Remove(BlockRange range)
    {
        CheckRange(range);
        var start = range.Start;
        var end = range.End;
        var before = Floor(start);
        if (before is not null && before.Start < start && before.End > start)
        {
            var oldEnd = before.End;
            BlockCount -= oldEnd - start;
            before.End = start;
            if (oldEnd > end)
            {
                Insert(end, oldEnd);
                return;
            }
        }

        for (var next = Ceiling(start); next is not null && next.Start < end; next = Ceiling(start))
        {
            var oldEnd = next.End;
            Delete(next.Start);
            if (oldEnd > end)
            {
                Insert(end, oldEnd);
                return;
            }
        }
    }

    /// <summary>Removes every block.</summary>
    public void Clear()
    {
        _root = null;
        Count = 0;
        BlockCount = 0;
    }

    /// <summary>Tells whether a block is in the set.</summary>
    public bool Contains(long block) => Floor(block) is { } node && node.End > block;

    /// <summary>Tells whether every block of a range is in the set.</summary>
    public bool Contains(BlockRange range) => Floor(range.Start) is { } node && node.End >= range.End;

    /// <summary>Tells whether some block of a range is in the set.</summary>
    public bool Intersects(BlockRange range) => Floor(range.End - 1) is { } node && node.End > range.Start;

    /// <summary>Enumerates the ranges in order. The set may change meanwhile: the walk goes on behind the last range shown.</summary>
    /// <remarks>A range of more blocks than a <see cref="BlockRange"/> can hold is shown in parts.</remarks>
    public Enumerator GetEnumerator() => new(this);

    private static void CheckRange(BlockRange range)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(range.Start, nameof(range));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(range.Count, nameof(range));
    }

    /// <summary>Finds the range with the greatest start at or below a block.</summary>
    private Node? Floor(long block)
    {
        Node? found = null;
        for (var node = _root; node is not null;)
        {
            if (node.Start <= block)
            {
                found = node;
                node = node.Right;
            }
            else
            {
                node = node.Left;
            }
        }

        return found;
    }

    /// <summary>Finds the range with the least start at or above a block.</summary>
    private Node? Ceiling(long block)
    {
        Node? found = null;
        for (var node = _root; node is not null;)
        {
            if (node.Start >= block)
            {
                found = node;
                node = node.Left;
            }
            else
            {
                node = node.Right;
            }
        }

        return found;
    }

    private void Insert(long start, long end)
    {
        if (!_free.TryPop(out var node))
        {
            node = new Node();
        }

        node.Start = start;
        node.End = end;
        node.Priority = Hash(start);
        ref var place = ref _root;
        while (place is not null && place.Priority >= node.Priority)
        {
            place = ref start < place.Start ? ref place.Left : ref place.Right;
        }

        Split(place, start, out node.Left, out node.Right);
        place = node;
        Count++;
        BlockCount += end - start;
    }

    private void Delete(long start)
    {
        ref var place = ref _root;
        while (place!.Start != start)
        {
            place = ref start < place.Start ? ref place.Left : ref place.Right;
        }

        var node = place;
        place = Merge(node.Left, node.Right);
        Count--;
        BlockCount -= node.End - node.Start;
        node.Left = null;
        node.Right = null;
        _free.Push(node);
    }

    private static void Split(Node? node, long start, out Node? left, out Node? right)
    {
        if (node is null)
        {
            left = null;
            right = null;
        }
        else if (node.Start < start)
        {
            Split(node.Right, start, out var inner, out right);
            node.Right = inner;
            left = node;
        }
        else
        {
            Split(node.Left, start, out left, out var inner);
            node.Left = inner;
            right = node;
        }
    }

    private static Node? Merge(Node? left, Node? right)
    {
        if (left is null || right is null)
        {
            return left ?? right;
        }

        if (left.Priority >= right.Priority)
        {
            left.Right = Merge(left.Right, right);
            return left;
        }

        right.Left = Merge(left, right.Left);
        return right;
    }

    private static uint Hash(long start)
    {
        // The finisher of SplitMix64: neighbouring starts get unrelated priorities.
        var x = (ulong)start + 0x9E3779B97F4A7C15UL;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
        return (uint)(x >> 32);
    }

    /// <summary>A walk over the ranges.</summary>
    public struct Enumerator
    {
        private readonly RangeSet _set;
        private long _from;
        private long _end;

        internal Enumerator(RangeSet set)
        {
            _set = set;
            _from = 0;
            _end = 0;
            Current = default;
        }

        /// <summary>Gets the range.</summary>
        public BlockRange Current { get; private set; }

        /// <summary>Goes to the next range.</summary>
        public bool MoveNext()
        {
            if (_from >= _end)
            {
                if (_set.Ceiling(_from) is not { } node)
                {
                    return false;
                }

                _from = node.Start;
                _end = node.End;
            }

            var part = (int)Math.Min(_end - _from, int.MaxValue);
            Current = new BlockRange(_from, part);
            _from += part;
            return true;
        }
    }

    private sealed class Node
    {
        public long Start;
        public long End;
        public uint Priority;
        public Node? Left;
        public Node? Right;
    }
}
