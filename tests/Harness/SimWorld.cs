using System.Globalization;
using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>A world of nodes on one thread, in virtual time, driven by one seed: the same seed, the same history.</summary>
/// <remarks>Everything that happens is an event with a time; events of the same time run in the order in which they were scheduled.</remarks>
public sealed class SimWorld
{
    /// <summary>So many events without the clock moving are a livelock.</summary>
    private const int StillEventsMax = 1_000_000;
    private const int LogTailLines = 200;

    private readonly PriorityQueue<Action, (long AtMicros, long Order)> _events = new();
    private readonly List<string> _log = [];
    private long _order;
    private int _stillEvents;

    /// <param name="seed">Decides everything that is left to chance.</param>
    /// <param name="options">The world's habits.</param>
    /// <param name="pool">The buffers of all nodes, if they are to outlive this world; used by one thread.</param>
    public SimWorld(ulong seed, SimOptions? options = null, BufferPool? pool = null)
    {
        Pool = pool ?? new BufferPool();
        Seed = seed;
        Options = options ?? new SimOptions();
        Random = new SimRandom(seed);
        Fabric = new SimFabric(this);
    }

    public ulong Seed { get; }

    public SimOptions Options { get; }

    public SimRandom Random { get; }

    /// <summary>Gets or sets whether every request, frame and operation of a device is noted, too: a long story, told only when someone reads it.</summary>
    public bool IsVerbose { get; set; }

    /// <summary>Gets the network between the nodes.</summary>
    public SimFabric Fabric { get; }

    /// <summary>Gets the pool of all nodes' buffers.</summary>
    public BufferPool Pool { get; }

    /// <summary>Gets or sets what a power cut leaves of what was not durable.</summary>
    public SimCutMedia CutMedia { get; set; }

    /// <summary>Gets or sets who is told of every step of every node; it may take a node's power away just then.</summary>
    public Action<SimStep>? StepTaken { get; set; }

    /// <summary>Gets the virtual time in microseconds.</summary>
    public long NowMicros { get; private set; }

    /// <summary>Gets everything that was noted, one line an event.</summary>
    public IReadOnlyList<string> Log => _log;

    /// <summary>Gets the seed and the end of the log, for a failing test's message.</summary>
    public string Story
    {
        get
        {
            var from = Math.Max(0, _log.Count - LogTailLines);
            return $"Seed {Seed}.{Environment.NewLine}{string.Join(Environment.NewLine, _log.Skip(from))}";
        }
    }

    /// <summary>Notes a line, with the virtual time before it.</summary>
    public void Note(string line) =>
        _log.Add(string.Create(CultureInfo.InvariantCulture, $"{NowMicros / 1000.0,12:F3} ms  {line}"));

    /// <summary>Makes the random numbers of one named thing: taking another thing out of a history leaves them as they are.</summary>
    public SimRandom RandomFor(string name) => SimRandom.For(Seed, name);

    /// <summary>Lets something happen at a time, or now if that is past.</summary>
    public void Schedule(long atMicros, Action action) =>
        _events.Enqueue(action, (Math.Max(atMicros, NowMicros), _order++));

    /// <summary>Lets something happen after a time.</summary>
    public void ScheduleIn(long delayMicros, Action action) => Schedule(NowMicros + delayMicros, action);

    /// <summary>Runs all events of the next milliseconds.</summary>
    public void RunFor(long ms)
    {
        var end = NowMicros + (ms * 1000);
        while (_events.TryPeek(out _, out var next) && next.AtMicros <= end)
        {
            Step();
        }

        MoveTo(end);
    }

    /// <summary>Runs until the condition holds; false when it does not within the virtual time.</summary>
    public bool TryRunUntil(Func<bool> condition, long timeoutMs)
    {
        var end = NowMicros + (timeoutMs * 1000);
        while (!condition())
        {
            if (!_events.TryPeek(out _, out var next) || next.AtMicros > end)
            {
                MoveTo(end);
                return condition();
            }

            Step();
        }

        return true;
    }

    /// <summary>Runs until the condition holds.</summary>
    /// <exception cref="TimeoutException">It does not within the virtual time; the message tells the seed and the story.</exception>
    public void RunUntil(Func<bool> condition, long timeoutMs = 60_000)
    {
        if (!TryRunUntil(condition, timeoutMs))
        {
            throw new TimeoutException($"What the test waits for did not happen within {timeoutMs} ms. {Story}");
        }
    }

    private void Step()
    {
        _events.TryDequeue(out var action, out var key);
        if (key.AtMicros > NowMicros)
        {
            MoveTo(key.AtMicros);
        }
        else if (++_stillEvents > StillEventsMax)
        {
            throw new InvalidOperationException($"The clock stands still: a livelock. {Story}");
        }

        action!();
    }

    private void MoveTo(long micros)
    {
        NowMicros = Math.Max(NowMicros, micros);
        _stillEvents = 0;
    }
}
