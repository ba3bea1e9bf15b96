using System.Text.Json;
using System.Text.Json.Serialization;

namespace MirrorController.HostAgent.Rig.Torture;

/// <summary>How many cuts of one kind were made.</summary>
internal sealed record TortureCutsModel(TortureKind Kind, int Loud, int Silent, int Mixed)
{
    public int All => Loud + Silent + Mixed;
}

/// <summary>How long the recoveries took, in milliseconds.</summary>
internal sealed record TortureTimesModel(long MedianMs, long WorstMs);

/// <summary>What <c>rig torture</c> found.</summary>
internal sealed record TortureModel
{
    public required int Seed { get; init; }

    public required int Boards { get; init; }

    public required long SizeBytes { get; init; }

    /// <summary>Gets the kinds of cuts and their numbers.</summary>
    public required IReadOnlyList<TortureCutsModel> CutsByKind { get; init; }

    public required int Cuts { get; init; }

    public required long Writes { get; init; }

    /// <summary>Gets how many lives the host had.</summary>
    public required int HostLives { get; init; }

    /// <summary>Gets how many sectors were read and judged.</summary>
    public required long JudgedSectors { get; init; }

    /// <summary>Gets what the recoveries after the host's cuts copied.</summary>
    public required long CopiedBytes { get; init; }

    /// <summary>Gets the times from power back, starts of processes included, to in sync; null when there was none.</summary>
    public TortureTimesModel? BackInSync { get; init; }

    /// <summary>Gets the times of the reconciliations within; null when there was none.</summary>
    public TortureTimesModel? Reconciliation { get; init; }

    public required long Milliseconds { get; init; }

    /// <summary>Gets what went wrong; null when nothing did.</summary>
    public TortureFault? Fault { get; init; }

    /// <summary>Gets where everything lies, when it was kept.</summary>
    public string? Dir { get; init; }
}

/// <summary>The JSON of <c>rig torture</c>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(TortureModel))]
internal sealed partial class TortureJson : JsonSerializerContext;
