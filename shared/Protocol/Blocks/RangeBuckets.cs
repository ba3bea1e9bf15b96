namespace MirrorController.Protocol.Blocks;

/// <summary>Items found by the blocks they cover: an index by buckets of 64 blocks, items of a bucket in the order they came.</summary>
/// <remarks>A request covers one or two buckets, so each operation costs a look-up or two, whatever the number of items.</remarks>
/// <typeparam name="T">The item; its range must not change while it is in the index.</typeparam>
public sealed class RangeBuckets<T>
    where T : class, IBlockRanged
{
    private const int BucketShift = 6;

    /// <summary>An item over more buckets is kept apart: no request covers so many, but a damaged record may.</summary>
    private const long BucketsMax = 1024;
    private readonly Dictionary<long, List<T>> _buckets = [];
    private readonly Stack<List<T>> _free = new();
    private readonly List<T> _wide = [];

    /// <summary>Adds an item behind those of its buckets.</summary>
    public void Add(T item)
    {
        if (IsWide(item))
        {
            _wide.Add(item);
            return;
        }

        var last = (item.Range.End - 1) >> BucketShift;
        for (var b = item.Range.Start >> BucketShift; b <= last; b++)
        {
            if (!_buckets.TryGetValue(b, out var list))
            {
                list = _free.TryPop(out var spare) ? spare : new List<T>(4);
                _buckets.Add(b, list);
            }

            list.Add(item);
        }
    }

    /// <summary>Removes an item that is in the index.</summary>
    public void Remove(T item)
    {
        if (IsWide(item))
        {
            var wasThere = _wide.Remove(item);
            Invariant.Check(wasThere, "an item leaves the list it was put in");
            return;
        }

        var last = (item.Range.End - 1) >> BucketShift;
        for (var b = item.Range.Start >> BucketShift; b <= last; b++)
        {
            var list = _buckets[b];
            var removed = list.Remove(item);
            Invariant.Check(removed, "an item leaves every bucket it was put in");
            if (list.Count == 0)
            {
                _buckets.Remove(b);
                _free.Push(list);
            }
        }
    }

    /// <summary>Starts a walk over the items that overlap a range, each once, in the order they came within a bucket.</summary>
    /// <remarks>The index must not change during the walk.</remarks>
    public OverlapEnumerator Overlapping(BlockRange range) => new(this, range);

    private static bool IsWide(T item) => item.Range.Count > BucketsMax << BucketShift;

    /// <summary>A walk over overlapping items; the wide ones come last.</summary>
    public ref struct OverlapEnumerator
    {
        private readonly RangeBuckets<T> _owner;
        private readonly BlockRange _range;
        private readonly long _lastBucket;
        private long _bucket;
        private List<T>? _list;
        private int _index;

        internal OverlapEnumerator(RangeBuckets<T> owner, BlockRange range)
        {
            _owner = owner;
            _range = range;
            _bucket = (range.Start >> BucketShift) - 1;
            _lastBucket = (range.End - 1) >> BucketShift;
            _list = null;
            _index = 0;
            Current = null!;
        }

        /// <summary>Gets the item.</summary>
        public T Current { get; private set; }

        /// <summary>Goes to the next item.</summary>
        public bool MoveNext()
        {
            while (true)
            {
                if (_list is not null)
                {
                    while (_index < _list.Count)
                    {
                        var item = _list[_index++];
                        // An item in several buckets is shown in the bucket where the overlap begins.
                        if (item.Range.Overlaps(_range)
                            && (_bucket > _lastBucket || Math.Max(item.Range.Start, _range.Start) >> BucketShift == _bucket))
                        {
                            Current = item;
                            return true;
                        }
                    }
                }

                if (_bucket > _lastBucket)
                {
                    return false;
                }

                _bucket++;
                _index = 0;
                if (_bucket > _lastBucket)
                {
                    _list = _owner._wide;
                }
                else
                {
                    _owner._buckets.TryGetValue(_bucket, out _list);
                }
            }
        }

        /// <summary>Lets <c>foreach</c> walk.</summary>
        public readonly OverlapEnumerator GetEnumerator() => this;
    }
}
