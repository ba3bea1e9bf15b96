using System.Diagnostics;
using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime;

/// <summary>A node's loop on a real machine: one thread, non-blocking sockets, readiness.</summary>
/// <remarks>
/// The back-ends differ in how they wait and in the calls that move bytes; turns, timers, the queue and connections are
/// the same. Everything but <see cref="Post(Action)"/> and <see cref="Stop"/> belongs to the loop's thread, or, before
/// <see cref="Run"/>, to the thread that sets the node up.
/// </remarks>
public abstract partial class RuntimeLoop : ILoop, INetwork, IDisposable
{
    private readonly PostQueue _posted = new();
    private readonly TimerHeap _timers = new();
    private readonly List<SocketConnection> _toFlush = [];
    private readonly HashSet<PollSource> _sources = [];
    private readonly LoopSynchronizationContext _context;
    private readonly SpinPolicy _spin;
    private readonly Action<Exception>? _onFatal;
    private int _threadId;
    private volatile bool _stopping;
    private volatile bool _asleep;
    private int _woken;
    private bool _disposed;

    private protected RuntimeLoop(LoopOptions options)
    {
        _context = new LoopSynchronizationContext(this);
        _spin = new SpinPolicy(options.SpinMicros);
        _onFatal = options.OnFatal;
    }

    /// <summary>Gets the pool of this loop's buffers.</summary>
    public BufferPool Pool { get; } = new();

    /// <inheritdoc/>
    public long NowMicros => (long)(Stopwatch.GetTimestamp() * (1_000_000.0 / Stopwatch.Frequency));

    /// <summary>Makes the loop that suits the system.</summary>
    /// <exception cref="PlatformNotSupportedException">Epoll was asked for where there is none.</exception>
    public static RuntimeLoop Create(LoopOptions? options = null)
    {
        options ??= new LoopOptions();
        if (OperatingSystem.IsLinux())
        {
            return options.Backend == LoopBackend.Select ? new SelectLoop(options) : new EpollLoop(options);
        }

        return options.Backend == LoopBackend.Epoll
            ? throw new PlatformNotSupportedException("Epoll exists on Linux only.")
            : new SelectLoop(options);
    }

    /// <summary>Runs turns on the calling thread until <see cref="Stop"/>, or until a callback throws.</summary>
    public void Run()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_threadId != 0)
        {
            throw new InvalidOperationException("The loop runs already.");
        }

        var previous = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(_context);
        _threadId = Environment.CurrentManagedThreadId;
        try
        {
            while (!_stopping)
            {
                Turn();
            }
        }
        catch (Exception e) when (_onFatal is not null)
        {
            _onFatal(e);
        }
        finally
        {
            _threadId = 0;
            _stopping = false;
            SynchronizationContext.SetSynchronizationContext(previous);
        }
    }

    /// <summary>Starts a thread of its own that calls <see cref="Run"/>.</summary>
    public Thread StartThread(string name)
    {
        var thread = new Thread(Run) { Name = name, IsBackground = true };
        thread.Start();
        return thread;
    }

    /// <summary>Ends <see cref="Run"/> after the current turn; connections stay. Any thread may call it.</summary>
    public void Stop()
    {
        _stopping = true;
        Wake();
    }

    /// <inheritdoc/>
    public void Post(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        Post(new PostedWork(action, null, null));
    }

    /// <inheritdoc/>
    public ILoopTimer StartTimer(long delayMs, Action action)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(delayMs);
        ArgumentNullException.ThrowIfNull(action);
        return _timers.Add(NowMicros + (delayMs * 1000), action);
    }

    /// <summary>Closes every socket without telling their handlers.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        if (_threadId != 0)
        {
            throw new InvalidOperationException("A running loop is stopped before it is disposed.");
        }

        _disposed = true;
        foreach (var source in _sources.ToArray())
        {
            source.Abandon();
        }

        _sources.Clear();
        DisposeBackend();
        GC.SuppressFinalize(this);
    }

    internal void Post(SendOrPostCallback callback, object? state) => Post(new PostedWork(null, callback, state));

    /// <summary>Asks for a flush of the connection at the end of this turn.</summary>
    internal void FlushLater(SocketConnection connection) => _toFlush.Add(connection);

    private void Post(PostedWork work)
    {
        if (Environment.CurrentManagedThreadId == _threadId)
        {
            _posted.AddOwn(work);
            return;
        }

        _posted.AddForeign(work);
        // The lock in AddForeign orders this read after the addition; Sleep sets the flag before it looks at the queue.
        if (_asleep)
        {
            Wake();
        }
    }

    private void Wake()
    {
        if (Interlocked.Exchange(ref _woken, 1) == 0)
        {
            SignalWake();
        }
    }

    private void Turn()
    {
        if (_posted.IsEmpty && _toFlush.Count == 0)
        {
            Await();
        }
        else
        {
            PollNow();
        }

        RunPosted();
        RunTimers();
        Flush();
    }

    /// <summary>Waits for readiness, a post or a timer: first awake, if that pays, then asleep.</summary>
    private void Await()
    {
        var now = NowMicros;
        if (_spin.MaySpin(now) && SpinForWork(now))
        {
            return;
        }

        _asleep = true;
        Interlocked.MemoryBarrier();
        if (!_posted.IsEmpty || _stopping)
        {
            _asleep = false;
            PollNow();
            return;
        }

        var due = _timers.NextDueMicros;
        var waitMs = due == long.MaxValue ? -1 : (int)Math.Clamp((due - NowMicros + 999) / 1000, 0, int.MaxValue / 1000);
        Poll(waitMs);
        _asleep = false;
    }

    private bool SpinForWork(long startMicros)
    {
        var end = Math.Min(startMicros + _spin.SpinMicros, _timers.NextDueMicros);
        var now = startMicros;
        do
        {
            if (PollNow() || !_posted.IsEmpty)
            {
                _spin.Found();
                return true;
            }

            YieldCore();
            var before = now;
            now = NowMicros;
            if (!_spin.Yielded(before, now))
            {
                return false;
            }
        }
        while (now < end && !_stopping);

        _spin.Missed(now);
        return false;
    }

    private bool PollNow() => Poll(0);

    private void RunPosted()
    {
        while (_posted.TryTake(out var work))
        {
            work.Run();
        }
    }

    private void RunTimers()
    {
        if (_timers.NextDueMicros == long.MaxValue)
        {
            return;
        }

        // One reading of the clock: a timer that starts itself anew with no delay cannot hold up the turn.
        var now = NowMicros;
        while (_timers.TakeDue(now) is { } timer)
        {
            timer.Action();
        }

        RunPosted();
    }

    private void Flush()
    {
        // Flushing calls no handler, it posts; so the list does not grow here.
        foreach (var connection in _toFlush)
        {
            connection.Flush();
        }

        _toFlush.Clear();
    }
}
