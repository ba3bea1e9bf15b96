namespace MirrorController.Runtime;

/// <summary>The started timers, the next one due on top.</summary>
internal sealed class TimerHeap
{
    private readonly List<LoopTimer> _timers = [];
    private long _order;

    /// <summary>Gets when the next timer is due, or <see cref="long.MaxValue"/>.</summary>
    public long NextDueMicros => _timers.Count == 0 ? long.MaxValue : _timers[0].DueMicros;

    public LoopTimer Add(long dueMicros, Action action)
    {
        var timer = new LoopTimer(this, dueMicros, _order++, action) { Place = _timers.Count };
        _timers.Add(timer);
        Rise(timer.Place);
        return timer;
    }

    /// <summary>Takes the next timer that is due at the given time.</summary>
    public LoopTimer? TakeDue(long nowMicros)
    {
        if (NextDueMicros > nowMicros)
        {
            return null;
        }

        var timer = _timers[0];
        Remove(timer);
        return timer;
    }

    public void Remove(LoopTimer timer)
    {
        var place = timer.Place;
        if (place < 0)
        {
            return;
        }

        timer.Place = -1;
        var last = _timers[^1];
        _timers.RemoveAt(_timers.Count - 1);
        if (!ReferenceEquals(last, timer))
        {
            Put(last, place);
            Rise(place);
            Sink(last.Place);
        }
    }

    private static bool Before(LoopTimer a, LoopTimer b) =>
        a.DueMicros != b.DueMicros ? a.DueMicros < b.DueMicros : a.Order < b.Order;

    private void Put(LoopTimer timer, int place)
    {
        _timers[place] = timer;
        timer.Place = place;
    }

    private void Rise(int place)
    {
        var timer = _timers[place];
        while (place > 0 && Before(timer, _timers[(place - 1) / 2]))
        {
            Put(_timers[(place - 1) / 2], place);
            place = (place - 1) / 2;
        }

        Put(timer, place);
    }

    private void Sink(int place)
    {
        var timer = _timers[place];
        while (true)
        {
            var child = (2 * place) + 1;
            if (child >= _timers.Count)
            {
                break;
            }

            if (child + 1 < _timers.Count && Before(_timers[child + 1], _timers[child]))
            {
                child++;
            }

            if (!Before(_timers[child], timer))
            {
                break;
            }

            Put(_timers[child], place);
            place = child;
        }

        Put(timer, place);
    }
}
