using MirrorController.Firmware.Array;
using MirrorController.Protocol.Coordination;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>What a seed decides before a run begins: sizes, habits, and which faults come how often.</summary>
/// <remarks>Each kind of fault is left out of some seeds wholly (swarm): what hides behind a frequent fault is found where that one is missing.</remarks>
public sealed class HistoryPlan
{
    /// <summary>How many hosts have the volume's configuration.</summary>
    public const int HostsMax = 2;

    private static readonly HistoryFault[] _kinds = Enum.GetValues<HistoryFault>();

    private readonly int[] _weights = new int[_kinds.Length];

    public HistoryPlan(ulong seed, int? boards = null)
    {
        Seed = seed;
        var random = new SimRandom(seed ^ 0x9A7B_5C3D_1E2F_4051);
        var drawn = random.OneIn(16) ? 4 + random.Below(2) : random.OneIn(3) ? 3 : 2;
        Boards = boards ?? drawn;
        Blocks = 64 << random.Below(3);
        IsEeprom = random.OneIn(3);
        Generators = 1 + random.Below(4);
        DepthMax = 1 + random.Below(8);
        HotBlocks = random.OneIn(2) ? Blocks : 4 + random.Below(12);
        PauseMaxMicros = 200 << random.Below(7);
        LargeOneIn = 4 + random.Below(20);
        UnalignedOneIn = random.OneIn(3) ? int.MaxValue : 2 + random.Below(6);
        FuaOneIn = random.OneIn(4) ? int.MaxValue : 2 + random.Below(12);
        FlushOneIn = random.OneIn(4) ? int.MaxValue : 5 + random.Below(40);
        ReadShare = random.Below(70);
        FaultPauseMaxMs = 20 << random.Below(7);
        DurationMs = random.OneIn(10) ? 12_000 : random.Between(300, 3000);
        IsQuick = random.OneIn(5);
        for (var i = 0; i < _weights.Length; i++)
        {
            _weights[i] = random.OneIn(2) ? 0 : random.OneIn(12) ? 40 : 1 + random.Below(6);
        }

        if (random.OneIn(2))
        {
            // What is judged where every block can be read is judged in half of the seeds.
            _weights[(int)HistoryFault.FailDiskReads] = 0;
            _weights[(int)HistoryFault.SpoilBlocks] = 0;
            _weights[(int)HistoryFault.SpoilRecovery] = 0;
            _weights[(int)HistoryFault.UnplugDisk] = 0;
        }

        World = new SimOptions
        {
            TurnDelayMaxMicros = random.OneIn(4) ? 500 : 30,
            NetDelayMaxMicros = random.OneIn(3) ? 3000 : 300,
            DiskDelayMaxMicros = random.OneIn(3) ? 8000 : 500,
            DiskReportDelayMaxMicros = random.OneIn(3) ? random.OneIn(3) ? 20_000 : 3000 : 0,
            NvmDelayMaxMicros = random.OneIn(2) ? 0 : 1 + random.Below(3000),
        };
        FlushMs = random.OneIn(3) ? 2000 : 100;
        ChipBytes = random.OneIn(2) ? 8 * 1024 : 32 * 1024;
        if (random.OneIn(8))
        {
            // Crowded: more small writes than a small table takes, and nobody asks for a flush.
            (ChipBytes, FlushMs, FlushOneIn, Generators, DepthMax, PauseMaxMicros) = (8 * 1024, 2000, int.MaxValue, 4, 16, 200 << random.Below(3));
        }

        ReplayBufferMax = random.OneIn(3) ? 1L << 20 : 64L << 20;
        HugeOneIn = random.OneIn(3) ? 10 + random.Below(40) : int.MaxValue;
        var drift = random.OneIn(3) ? random.Below(25) : 0;
        BlockBytes = random.OneIn(8) ? SimDiskMedia.SectorBytes << random.Below(3) : SimCluster.BlockBytes;
        HasHoles = random.OneIn(2);
        IsImpatient = random.OneIn(2);
        ClockRates = [.. Enumerable.Range(0, Boards + HostsMax).Select(_ => 1 + (random.Between(-drift, drift) / 100.0))];
    }

    public ulong Seed { get; }

    public int Boards { get; }

    public int Blocks { get; }

    /// <summary>Gets the volume's block, in bytes; in some seeds it is a sector, which no power cut tears.</summary>
    public int BlockBytes { get; }

    /// <summary>Gets whether the boards' disks are files with holes in them.</summary>
    public bool HasHoles { get; }

    public long SizeBytes => (long)Blocks * BlockBytes;

    public bool IsEeprom { get; }

    /// <summary>Gets how many applications use the volume at once.</summary>
    public int Generators { get; }

    /// <summary>Gets how many requests one of them has in flight at most.</summary>
    public int DepthMax { get; }

    /// <summary>Gets how many blocks most requests go to.</summary>
    public int HotBlocks { get; }

    public long PauseMaxMicros { get; }

    public int LargeOneIn { get; }

    public int UnalignedOneIn { get; }

    public int FuaOneIn { get; }

    public int FlushOneIn { get; }

    /// <summary>Gets how often a request is longer than a part, 256 KiB.</summary>
    public int HugeOneIn { get; }

    /// <summary>Gets how fast the clocks of the boards and then the hosts go; 1 is right.</summary>
    public IReadOnlyList<double> ClockRates { get; }

    /// <summary>Gets the reads among a hundred requests.</summary>
    public int ReadShare { get; }

    public long FaultPauseMaxMs { get; }

    /// <summary>Gets whether whatever was taken away comes back within 20 milliseconds: many starts in a row.</summary>
    public bool IsQuick { get; }

    /// <summary>Gets whether boards whose chip or disk fails start again at once, and failed writes are sent again at once; else as they are by default.</summary>
    public bool IsImpatient { get; }

    public long DurationMs { get; }

    public long FlushMs { get; }

    /// <summary>Gets the size of the boards' memory chips: in a small one the tag table fills up (D6).</summary>
    public int ChipBytes { get; }

    public long ReplayBufferMax { get; }

    public SimOptions World { get; }

    /// <summary>Applies the plan to the coordinators' options.</summary>
    public CoordinatorOptions Apply(CoordinatorOptions options) => options with { BackgroundFlushMs = FlushMs, ReplayBufferMax = ReplayBufferMax, FaultRetryMs = IsImpatient ? 50 : options.FaultRetryMs };

    /// <summary>Applies the plan to the boards' options.</summary>
    public BoardOptions Apply(BoardOptions options) => IsImpatient ? options with { DiskTroubleMaxMs = 200, StartAgainFirstMs = 50 } : options;

    /// <summary>Gets whether reads of disks fail now and then.</summary>
    public bool ReadsFail => Has(HistoryFault.FailDiskReads) || Has(HistoryFault.SpoilBlocks) || Has(HistoryFault.SpoilRecovery) || Has(HistoryFault.UnplugDisk);

    /// <summary>Tells whether this seed has a kind of fault.</summary>
    public bool Has(HistoryFault fault) => _weights[(int)fault] > 0;

    /// <summary>Draws a kind of fault; null when this seed has none.</summary>
    public HistoryFault? Draw(SimRandom random)
    {
        var total = _weights.Sum();
        if (total == 0)
        {
            return null;
        }

        var at = random.Below(total);
        for (var i = 0; ; i++)
        {
            at -= _weights[i];
            if (at < 0)
            {
                return _kinds[i];
            }
        }
    }

    public override string ToString()
    {
        var faults = _kinds.Where((_, i) => _weights[i] > 0).Select((k, _) => $"{k}:{_weights[(int)k]}");
        return $"seed {Seed}: {Boards} boards, {Blocks} blocks of {BlockBytes}{(HasHoles ? " with holes" : string.Empty)}, {(IsEeprom ? "EEPROM" : "FRAM")} of {ChipBytes} bytes, {Generators} generators of {DepthMax}, "
            + $"{DurationMs} ms, a fault within {FaultPauseMaxMs} ms: {string.Join(' ', faults)}";
    }
}
