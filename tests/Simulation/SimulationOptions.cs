using System.Globalization;

namespace MirrorController.Tests.Simulation;

/// <summary>What to simulate.</summary>
/// <param name="Seed">The one seed to replay with its whole log, or null.</param>
/// <param name="From">The first seed of a run.</param>
/// <param name="Seeds">How many seeds; null: until the time is over.</param>
/// <param name="Minutes">How long at most, in minutes of real time; null: until all seeds are done.</param>
/// <param name="Members">How many boards a volume has; null: what each seed draws.</param>
/// <param name="UntilFailure">Whether no seed is begun after the first that failed; those below it have all been run then.</param>
internal sealed record SimulationOptions(ulong? Seed, ulong From, int? Seeds, double? Minutes, int? Members, bool UntilFailure)
{
    /// <summary>How many seeds a run has when nothing else was said.</summary>
    public const int SeedsDefault = 200;

    /// <summary>Gets the last seed.</summary>
    public ulong Last => Seeds is { } count ? From + (ulong)count - 1 : ulong.MaxValue;

    /// <summary>Says how a seed is replayed.</summary>
    public string ReplayOf(ulong seed) =>
        string.Create(CultureInfo.InvariantCulture, $"./simulate --seed {seed}{(Members is { } members ? $" --members {members}" : "")}");
}
