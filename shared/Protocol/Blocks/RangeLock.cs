namespace MirrorController.Protocol.Blocks;

/// <summary>Who wants a range; derive the operation from it, so that no request allocates.</summary>
public abstract class RangeLockRequest : IBlockRanged
{
    /// <inheritdoc/>
    public BlockRange Range { get; protected set; }

    internal bool Exclusive { get; set; }

    internal int WaitsFor { get; set; }

    internal long Order { get; set; }

    internal bool InLock { get; set; }

    /// <summary>The range is the requester's; called from within another's release.</summary>
    protected internal abstract void Granted();
}

/// <summary>Locks ranges of blocks, shared or exclusive, as a queue: who waits goes before later ones that overlap.</summary>
/// <remarks>
/// Rule W1 in the coordinator: two overlapping writes are never in flight together. Rule W4 on a board: where ranges
/// overlap, data reaches the disk in the order the entries were stored, and no read is torn.
/// Waiting for earlier requests only, it cannot deadlock.
/// </remarks>
public sealed class RangeLock
{
    private readonly RangeBuckets<RangeLockRequest> _index = new();
    private readonly Stack<List<RangeLockRequest>> _freeLists = new();
    private long _order;

    /// <summary>Gets the number of requests that hold or wait.</summary>
    public int Count { get; private set; }

    /// <summary>Asks for a range.</summary>
    /// <returns>True if the range is the requester's at once; else <see cref="RangeLockRequest.Granted"/> comes later.</returns>
    public bool Acquire(RangeLockRequest request, bool exclusive)
    {
        Invariant.Check(!request.InLock, "a request is in the lock once");
        request.Exclusive = exclusive;
        request.Order = ++_order;
        request.WaitsFor = 0;
        foreach (var earlier in _index.Overlapping(request.Range))
        {
            if (exclusive || earlier.Exclusive)
            {
                request.WaitsFor++;
            }
        }

        request.InLock = true;
        _index.Add(request);
        Count++;
        return request.WaitsFor == 0;
    }

    /// <summary>Tells whether a request for the range would wait.</summary>
    public bool WouldWait(BlockRange range, bool exclusive)
    {
        foreach (var earlier in _index.Overlapping(range))
        {
            if (exclusive || earlier.Exclusive)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Gives a range back, or withdraws a waiting request; those who waited for it only are granted.</summary>
    public void Release(RangeLockRequest request)
    {
        Invariant.Check(request.InLock, "a range is released once");
        request.InLock = false;
        _index.Remove(request);
        Count--;
        List<RangeLockRequest>? granted = null;
        foreach (var later in _index.Overlapping(request.Range))
        {
            if (later.Order > request.Order && (later.Exclusive || request.Exclusive) && --later.WaitsFor == 0)
            {
                granted ??= _freeLists.TryPop(out var spare) ? spare : [];
                granted.Add(later);
            }
        }

        if (granted is null)
        {
            return;
        }

        foreach (var later in granted)
        {
            later.Granted();
        }

        granted.Clear();
        _freeLists.Push(granted);
    }
}
