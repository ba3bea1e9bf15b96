using System.Diagnostics;
using MirrorController.Tests.Harness.RandomHistory;

namespace MirrorController.Tests.Simulation;

/// <summary>Leaves out of a failing history whatever the failure does not need: faults, requests, time.</summary>
/// <remarks>Delta debugging: halves, then quarters, and so on are left out as long as the same failure comes.</remarks>
internal sealed class Shrinker
{
    private const double SecondsMax = 90;

    private readonly ulong _seed;
    private readonly int? _members;
    private readonly string _kind;
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public Shrinker(HistoryFailedException failure, int? members)
    {
        _seed = failure.Seed;
        _members = members;
        _kind = KindOf(failure.Cause);
        Best = failure;
    }

    /// <summary>Gets the smallest history that fails in the same way.</summary>
    public HistoryFailedException Best { get; private set; }

    /// <summary>Gets how many histories were tried.</summary>
    public int Tries { get; private set; }

    /// <summary>Gets what failures have in common that have the same reason: the words before the first particular.</summary>
    public static string KindOf(string cause)
    {
        var colon = cause.IndexOf(':', StringComparison.Ordinal);
        return colon is > 0 and < 50
            ? cause[..colon]
            : string.Join(' ', cause.Split(' ').Where(w => !w.Any(char.IsDigit) && !w.StartsWith("pi-", StringComparison.Ordinal)).Take(6));
    }

    /// <summary>Shrinks as far as it can, or as the time allows.</summary>
    public HistoryLimits Shrink()
    {
        var history = Best.History;
        var limits = new HistoryLimits
        {
            Faults = new SortedSet<int>(Enumerable.Range(1, history.FaultsDrawn)),
            Requests = new SortedSet<RequestName>(history.Issued),
        };
        if (!Fails(limits, out var all))
        {
            // Not the same without what was drawn and not issued: it stays whole.
            return HistoryLimits.None;
        }

        limits = all;
        for (var before = int.MaxValue; before > SizeOf(limits) && !IsOver;)
        {
            before = SizeOf(limits);
            limits = Reduce(limits, l => l.Faults!, (l, faults) => l with { Faults = new SortedSet<int>(faults) });
            limits = Reduce(limits, l => l.Requests!, (l, requests) => l with { Requests = new SortedSet<RequestName>(requests) });
        }

        var duration = history.Plan.DurationMs;
        while (duration > 1 && !IsOver && Fails(limits with { DurationMs = duration / 2 }, out var shorter))
        {
            duration /= 2;
            limits = shorter;
        }

        return limits;
    }

    private bool IsOver => _clock.Elapsed.TotalSeconds > SecondsMax;

    private static int SizeOf(HistoryLimits limits) => limits.Faults!.Count + limits.Requests!.Count;

    private HistoryLimits Reduce<T>(HistoryLimits limits, Func<HistoryLimits, IReadOnlySet<T>> get, Func<HistoryLimits, IEnumerable<T>, HistoryLimits> with)
    {
        for (var pieces = 2; get(limits).Count > 0 && !IsOver;)
        {
            var items = get(limits).ToList();
            var size = Math.Max(1, (items.Count + pieces - 1) / pieces);
            var found = false;
            for (var at = 0; at < items.Count && !IsOver; at += size)
            {
                if (Fails(with(limits, items.Where((_, i) => i < at || i >= at + size)), out var less))
                {
                    limits = less;
                    found = true;
                    break;
                }
            }

            if (!found && size == 1)
            {
                break;
            }

            pieces = found ? Math.Max(2, pieces - 1) : pieces * 2;
        }

        return limits;
    }

    /// <summary>Tells whether the same failure comes; then also what of the limits was used at all.</summary>
    private bool Fails(HistoryLimits limits, out HistoryLimits used)
    {
        Tries++;
        used = limits;
        try
        {
            RandomHistory.Run(_seed, _members, limits);
            return false;
        }
        catch (HistoryFailedException e) when (KindOf(e.Cause) == _kind)
        {
            Best = e;
            used = limits with { Requests = new SortedSet<RequestName>(e.History.Issued) };
            return true;
        }
        catch (HistoryFailedException)
        {
            return false;
        }
    }
}
