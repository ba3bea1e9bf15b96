using System.Globalization;
using MirrorController.Tests.Harness.RandomHistory;

namespace MirrorController.Tests.Simulation;

/// <summary>What to simulate.</summary>
internal sealed record SimulationOptions
{
    /// <summary>How many seeds a run has when nothing else was said.</summary>
    public const int SeedsDefault = 200;

    /// <summary>Gets the one seed to replay with its whole log, or null.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Gets what of that seed happens.</summary>
    public HistoryLimits Limits { get; init; } = HistoryLimits.None;

    /// <summary>Gets the first seed of a run.</summary>
    public ulong From { get; init; } = 1;

    /// <summary>Gets how many seeds; null: until the time is over.</summary>
    public int? Seeds { get; init; }

    /// <summary>Gets how long at most, in minutes of real time; null: until all seeds are done.</summary>
    public double? Minutes { get; init; }

    /// <summary>Gets how many boards a volume has; null: what each seed draws.</summary>
    public int? Members { get; init; }

    /// <summary>Gets whether the run ends with its first failure.</summary>
    public bool UntilFailure { get; init; }

    /// <summary>Gets whether failing seeds are shrunk.</summary>
    public bool Shrinks { get; init; } = true;

    /// <summary>Gets the last seed.</summary>
    public ulong Last => Seeds is { } count ? From + (ulong)count - 1 : ulong.MaxValue;

    /// <summary>Says how a seed is replayed.</summary>
    public string ReplayOf(ulong seed, HistoryLimits limits)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"./simulate --seed {seed}");
        text += Members is { } members ? $" --members {members.ToString(CultureInfo.InvariantCulture)}" : string.Empty;
        text += limits.Faults is { } faults ? $" --faults {HistoryLimits.Format(faults)}" : string.Empty;
        text += limits.Requests is { } requests ? $" --requests {HistoryLimits.Format(requests)}" : string.Empty;
        return text + (limits.DurationMs is { } ms ? $" --duration {ms.ToString(CultureInfo.InvariantCulture)}" : string.Empty);
    }
}
