using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>A node's loop in a simulated world, for one life of the node: after <see cref="Kill"/> nothing of it happens any more.</summary>
public sealed class SimLoop : ILoop
{
    private readonly Queue<Action> _arrivals = new();
    private readonly Queue<Action> _posted = new();
    private readonly Queue<SimTimer> _due = new();
    private readonly List<SimConnection> _toFlush = [];
    private readonly SimSynchronizationContext _context;
    private readonly SimRandom _random;
    private readonly long _bornMicros;
    private List<SimTimer> _timers = [];
    private int _timersLookAt = 64;
    private long _jumpedMicros;
    private bool _turnScheduled;
    private bool _turnOwed;
    private bool _isPaused;
    private bool _inTurn;

    /// <param name="world">Where it runs.</param>
    /// <param name="name">The node's name.</param>
    /// <param name="life">Which life of the node it is.</param>
    public SimLoop(SimWorld world, string name, int life = 1)
    {
        World = world;
        Name = name;
        _random = world.RandomFor($"{name}, turns of life {life}");
        _bornMicros = world.NowMicros;
        _context = new SimSynchronizationContext(this);
    }

    public SimWorld World { get; }

    public string Name { get; }

    /// <summary>Gets whether the node has lost its power.</summary>
    public bool IsDead { get; private set; }

    /// <summary>Gets the pool of this loop's buffers: the world's, so that a node's next life finds its chunks again.</summary>
    public BufferPool Pool => World.Pool;

    /// <summary>Gets how fast this node's clock goes; 1 is right.</summary>
    public double ClockRate { get; init; } = 1;

    /// <summary>Gets or sets who is told of each thing that came from outside and was taken in.</summary>
    public Action? HasTakenIn { get; set; }

    /// <summary>Gets the node's own clock.</summary>
    public long NowMicros => _bornMicros + (long)((World.NowMicros - _bornMicros) * ClockRate) + _jumpedMicros;

    /// <summary>Gets or sets whether the node stands still: everything waits for it.</summary>
    public bool IsPaused
    {
        get => _isPaused;
        set
        {
            _isPaused = value;
            if (!value && _turnOwed)
            {
                _turnOwed = false;
                ScheduleTurn();
            }
        }
    }

    public void Post(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        if (!IsDead)
        {
            _posted.Enqueue(action);
            ScheduleTurn();
        }
    }

    public ILoopTimer StartTimer(long delayMs, Action action)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(delayMs);
        ArgumentNullException.ThrowIfNull(action);
        var timer = new SimTimer(action, NowMicros + (delayMs * 1000));
        if (_timers.Count >= _timersLookAt)
        {
            _timers = _timers.FindAll(t => !t.IsOver && !t.IsDue);
            _timersLookAt = 64 + (2 * _timers.Count);
        }

        _timers.Add(timer);
        Wake(timer);
        return timer;
    }

    /// <summary>Puts the node's clock forward, as it is after a sleep: timers whose time has come are due.</summary>
    public void JumpClock(long micros)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(micros);
        _jumpedMicros += micros;
        foreach (var timer in _timers.FindAll(t => !t.IsOver && !t.IsDue))
        {
            Wake(timer);
        }
    }

    /// <summary>Runs something at once as a callback of this node: for starting it.</summary>
    public void Enter(Action action)
    {
        if (_inTurn)
        {
            throw new InvalidOperationException($"{Name} is in a turn already.");
        }

        Guarded(() =>
        {
            action();
            Flush();
        });
    }

    /// <summary>Ends this life: whatever it has posted, started or is about to do does not happen.</summary>
    public void Kill()
    {
        IsDead = true;
        _arrivals.Clear();
        _posted.Clear();
        _due.Clear();
        _toFlush.Clear();
    }

    /// <summary>Something comes from outside: taken in at the beginning of the next turn.</summary>
    internal void Arrive(Action action)
    {
        if (!IsDead)
        {
            _arrivals.Enqueue(action);
            ScheduleTurn();
        }
    }

    internal void FlushLater(SimConnection connection)
    {
        if (!IsDead)
        {
            _toFlush.Add(connection);
            ScheduleTurn();
        }
    }

    private void Wake(SimTimer timer) =>
        World.ScheduleIn((long)Math.Ceiling(Math.Max(0, timer.DueMicros - NowMicros) / ClockRate), () =>
        {
            if (IsDead || timer.IsOver || timer.IsDue)
            {
                return;
            }

            if (NowMicros < timer.DueMicros)
            {
                Wake(timer);
                return;
            }

            timer.IsDue = true;
            _due.Enqueue(timer);
            ScheduleTurn();
        });

    private void ScheduleTurn()
    {
        if (!_turnScheduled && !_inTurn)
        {
            _turnScheduled = true;
            World.ScheduleIn(_random.Between(0, World.Options.TurnDelayMaxMicros), Turn);
        }
    }

    private void Turn()
    {
        _turnScheduled = false;
        if (IsPaused)
        {
            _turnOwed = true;
        }
        else if (!IsDead)
        {
            Guarded(RunTurn);
        }
    }

    private void RunTurn()
    {
        for (var n = _arrivals.Count; n > 0 && _arrivals.TryDequeue(out var arrival); n--)
        {
            arrival();
            HasTakenIn?.Invoke();
        }

        RunPosted();
        for (var n = _due.Count; n > 0 && _due.TryDequeue(out var timer); n--)
        {
            timer.Run();
        }

        RunPosted();
        Flush();
    }

    private void RunPosted()
    {
        while (_posted.TryDequeue(out var action))
        {
            action();
        }
    }

    private void Flush()
    {
        // Flushing posts; it calls no handler, so the list does not grow here.
        foreach (var connection in _toFlush.ToArray())
        {
            connection.Flush();
        }

        _toFlush.Clear();
    }

    private void Guarded(Action action)
    {
        var previous = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(_context);
        _inTurn = true;
        try
        {
            action();
        }
        catch (Exception e) when (IsDead)
        {
            // The power went in the middle of the callback; what the rest of it did, nobody has seen.
            World.Note($"{Name} threw after its power was gone: {e.Message}");
        }
        catch (Exception e) when (e is not SimNodeException)
        {
            World.Note($"{Name} threw: {e.Message}");
            throw new SimNodeException(Name, $"Node {Name}: {e.Message} {World.Story}", e);
        }
        finally
        {
            _inTurn = false;
            SynchronizationContext.SetSynchronizationContext(previous);
        }

        if (_arrivals.Count + _posted.Count + _due.Count + _toFlush.Count > 0)
        {
            ScheduleTurn();
        }
    }

    private sealed class SimSynchronizationContext(SimLoop loop) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => loop.Post(() => d(state));

        public override void Send(SendOrPostCallback d, object? state) =>
            throw new NotSupportedException("A node's loop is never waited for.");

        public override SynchronizationContext CreateCopy() => this;
    }
}
