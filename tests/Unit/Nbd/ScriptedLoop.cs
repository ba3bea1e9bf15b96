using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Unit.Nbd;

/// <summary>A loop that a test turns by hand.</summary>
internal sealed class ScriptedLoop : ILoop
{
    private readonly Queue<Action> _posted = new();
    private readonly List<Timer> _timers = [];

    public long NowMicros { get; private set; }

    public void Post(Action action) => _posted.Enqueue(action);

    public ILoopTimer StartTimer(long delayMs, Action action)
    {
        var timer = new Timer(NowMicros + (delayMs * 1000), action);
        _timers.Add(timer);
        return timer;
    }

    /// <summary>Runs what is posted, also what that posts.</summary>
    public void Run()
    {
        while (_posted.TryDequeue(out var action))
        {
            action();
        }
    }

    /// <summary>Lets time pass; timers run when they are due.</summary>
    public void Advance(long ms)
    {
        var until = NowMicros + (ms * 1000);
        while (_timers.Where(t => !t.IsOver && t.DueMicros <= until).MinBy(t => t.DueMicros) is { } due)
        {
            NowMicros = due.DueMicros;
            due.IsOver = true;
            due.Action();
            Run();
        }

        NowMicros = until;
    }

    private sealed class Timer(long dueMicros, Action action) : ILoopTimer
    {
        public long DueMicros => dueMicros;

        public Action Action => action;

        public bool IsOver { get; set; }

        public void Cancel() => IsOver = true;
    }
}
