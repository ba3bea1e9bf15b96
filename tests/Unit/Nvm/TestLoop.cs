using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Unit.Nvm;

/// <summary>A loop with virtual time: runs what was posted, then jumps to the next timer.</summary>
internal sealed class TestLoop : SynchronizationContext, ILoop
{
    private readonly Queue<Action> _posted = new();
    private readonly PriorityQueue<TestTimer, (long Due, long Order)> _timers = new();
    private long _order;

    public long NowMicros { get; private set; }

    public long ActionsRun { get; private set; }

    public void Post(Action action) => _posted.Enqueue(action);

    public override void Post(SendOrPostCallback d, object? state) => _posted.Enqueue(() => d(state));

    public ILoopTimer StartTimer(long delayMs, Action action)
    {
        var timer = new TestTimer { Action = action };
        _timers.Enqueue(timer, (NowMicros + (delayMs * 1000), _order++));
        return timer;
    }

    /// <summary>Runs until nothing is posted; timers do not run.</summary>
    public void RunTurn() => Within(() =>
    {
        while (_posted.TryDequeue(out var action))
        {
            ActionsRun++;
            action();
        }
    });

    /// <summary>Runs until nothing is posted and no timer waits.</summary>
    public void RunAll()
    {
        do
        {
            RunTurn();
            if (_timers.TryDequeue(out var timer, out var due))
            {
                NowMicros = Math.Max(NowMicros, due.Due);
                if (timer.Action is { } action)
                {
                    Within(action);
                }
            }
        }
        while (_posted.Count > 0 || _timers.Count > 0);
    }

    /// <summary>Runs a procedure of the node to its end.</summary>
    public T Run<T>(Func<Task<T>> procedure)
    {
        Task<T>? task = null;
        Within(() => task = procedure());
        RunAll();
        Assert.True(task!.IsCompleted, "the procedure has ended when nothing is left to do");
        return task.GetAwaiter().GetResult();
    }

    public void Within(Action action)
    {
        var before = Current;
        SetSynchronizationContext(this);
        try
        {
            action();
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }

    private sealed class TestTimer : ILoopTimer
    {
        public Action? Action { get; set; }

        public void Cancel() => Action = null;
    }
}
