namespace MirrorController.Runtime;

/// <summary>One posted action, or one posted callback with its state; a value, so that posting allocates nothing.</summary>
internal readonly record struct PostedWork(Action? Action, SendOrPostCallback? Callback, object? State)
{
    public void Run()
    {
        if (Action is not null)
        {
            Action();
        }
        else
        {
            Callback!(State);
        }
    }
}

/// <summary>What was posted: a queue for the loop's own thread, and one under a lock for all others.</summary>
internal sealed class PostQueue
{
    private readonly Queue<PostedWork> _own = new();
    private readonly Lock _lock = new();
    private List<PostedWork> _foreign = [];
    private List<PostedWork> _taken = [];
    private volatile bool _hasForeign;

    /// <summary>Gets whether anything waits to be run.</summary>
    public bool IsEmpty => _own.Count == 0 && !_hasForeign;

    public void AddOwn(PostedWork work) => _own.Enqueue(work);

    public void AddForeign(PostedWork work)
    {
        lock (_lock)
        {
            _foreign.Add(work);
            _hasForeign = true;
        }
    }

    public bool TryTake(out PostedWork work)
    {
        if (_hasForeign)
        {
            TakeForeign();
        }

        return _own.TryDequeue(out work);
    }

    private void TakeForeign()
    {
        lock (_lock)
        {
            (_foreign, _taken) = (_taken, _foreign);
            _hasForeign = false;
        }

        foreach (var work in _taken)
        {
            _own.Enqueue(work);
        }

        _taken.Clear();
    }
}
