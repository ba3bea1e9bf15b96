using System.Globalization;
using MirrorController.Tests.Harness.RandomHistory;

namespace MirrorController.Tests.Simulation;

/// <summary>What many seeds did, added up. Any thread may add.</summary>
internal sealed class Tally
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, long> _faults = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _states = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _transitions = new(StringComparer.Ordinal);
    private long _simulatedMicros;
    private long _acknowledged;
    private long _judged;
    private long _recoveries;
    private long _copiedBytes;
    private int _twice;

    /// <summary>Gets the number of seeds that were run.</summary>
    public int Seeds { get; private set; }

    /// <summary>Gets the changes of a volume's state that were seen, such as <c>InSync -> Waiting</c>.</summary>
    public IEnumerable<string> Transitions => _transitions.Keys;

    /// <summary>Adds a history that has ended, well or not.</summary>
    public void Add(RandomHistory history)
    {
        lock (_lock)
        {
            Seeds++;
            _simulatedMicros += history.World.NowMicros;
            _acknowledged += history.AcknowledgedWrites;
            _judged += history.Checker.JudgedSectors;
            _recoveries += history.Recoveries;
            _copiedBytes += history.CopiedBytes;
            foreach (var (fault, count) in history.FaultCounts)
            {
                Count(_faults, fault.ToString(), count);
            }

            foreach (var (state, count) in history.StatesSeen)
            {
                Count(_states, state, count);
            }

            foreach (var (change, count) in history.TransitionsSeen)
            {
                Count(_transitions, change, count);
            }
        }
    }

    /// <summary>Counts a seed that was run twice and made the same history.</summary>
    public void AddTwice()
    {
        lock (_lock)
        {
            _twice++;
        }
    }

    /// <summary>Tells the sums in lines, once all is done.</summary>
    public IEnumerable<string> Lines(TimeSpan elapsed)
    {
        var hours = Math.Max(elapsed.TotalHours, 1e-9);
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"{Seeds} seeds in {elapsed.TotalSeconds:F0} s ({Seeds / hours:F0} an hour), {_simulatedMicros / 1e6:F0} s of simulated time, "
            + $"{_acknowledged} writes acknowledged, {_judged} sectors judged");
        yield return string.Create(CultureInfo.InvariantCulture, $"{_twice} seeds were run twice and made the same history");
        yield return string.Create(CultureInfo.InvariantCulture, $"recoveries: {_recoveries}, which copied {_copiedBytes / 1024} KiB");
        yield return "faults: " + Join(_faults);
        yield return "states reached: " + Join(_states);
        yield return "transitions: " + Join(_transitions);
        var never = Enum.GetNames<HistoryFault>().Where(f => !_faults.ContainsKey(f)).ToList();
        if (never.Count > 0)
        {
            yield return "faults that no seed had: " + string.Join(' ', never);
        }
    }

    private static void Count(SortedDictionary<string, long> counts, string name, long more)
    {
        counts.TryGetValue(name, out var before);
        counts[name] = before + more;
    }

    private static string Join(SortedDictionary<string, long> counts) =>
        string.Join(", ", counts.Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Key} {c.Value}")));
}
