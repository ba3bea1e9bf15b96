using MirrorController.Protocol.Coordination;

namespace MirrorController.Tests.Harness.CrashPoints;

/// <summary>A short story of a cluster, the same every time: what is prepared, and what is then cut at each of its steps.</summary>
public sealed record CrashScenario
{
    public required string Name { get; init; }

    public int Boards { get; init; } = 2;

    public bool IsEeprom { get; init; }

    public int ChipBytes { get; init; } = 8 * 1024;

    /// <summary>Gets whether boards and volume are there and everything is equal, flushed and retired when the story begins.</summary>
    public bool IsCreated { get; init; } = true;

    /// <summary>Gets whether acknowledged data is flushed in the background within the story.</summary>
    public bool FlushesInBackground { get; init; } = true;

    /// <summary>Gets what happens before anything is cut.</summary>
    public Action<CrashStory>? Prepare { get; init; }

    /// <summary>Gets the part that is cut.</summary>
    public required Action<CrashStory> Play { get; init; }

    /// <summary>Gets what else is different after the first cut, when the power is given back.</summary>
    public Action<CrashStory>? AfterCut { get; init; }

    /// <summary>Applies the scenario to a coordinator's options.</summary>
    public CoordinatorOptions Apply(CoordinatorOptions options) =>
        options with { BackgroundFlushMs = FlushesInBackground ? 20 : 3_600_000, RetireIdleMs = 20, OpenRetryFirstMs = 100 };

    public override string ToString() => Name;
}
