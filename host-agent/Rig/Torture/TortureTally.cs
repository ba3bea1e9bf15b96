using MirrorController.HostAgent.Control;

namespace MirrorController.HostAgent.Rig.Torture;

/// <summary>Counts what happened.</summary>
internal sealed class TortureTally
{
    private readonly List<TortureCut> _cuts = [];
    private readonly List<long> _backMs = [];
    private readonly List<long> _reconcileMs = [];
    private long _copiedBytes;
    private long _session;

    /// <summary>Gets how many cuts were made.</summary>
    public int Cuts => _cuts.Count;

    /// <summary>A cut was made.</summary>
    public void Cut(TortureCut cut) => _cuts.Add(cut);

    /// <summary>The volume is in sync after a cut.</summary>
    public void InSync(VolumeModel volume, long backMs)
    {
        _backMs.Add(backMs);
        // An opening reconciles once; its figures stay in the status while the session lives.
        if (volume.LastRecovery is { } recovery && volume.Session != _session)
        {
            _session = volume.Session;
            _copiedBytes += recovery.CopiedBytes;
            _reconcileMs.Add(recovery.Milliseconds);
        }
    }

    /// <summary>Makes the model.</summary>
    public TortureModel Model(TortureOptions options, RigState rig, SectorChecker checker, long milliseconds, TortureFault? fault, string? dir) => new()
    {
        Seed = options.Seed,
        Boards = rig.Boards.Count,
        SizeBytes = rig.SizeBytes,
        CutsByKind = [.. Enum.GetValues<TortureKind>().Select(kind => new TortureCutsModel(kind, Count(kind, "loud"), Count(kind, "silent"), Count(kind, "mixed")))],
        Cuts = _cuts.Count,
        Writes = checker.Writes,
        HostLives = checker.Life,
        JudgedSectors = checker.JudgedSectors,
        CopiedBytes = _copiedBytes,
        BackInSync = Times(_backMs),
        Reconciliation = Times(_reconcileMs),
        Milliseconds = milliseconds,
        Fault = fault,
        Dir = dir,
    };

    private static TortureTimesModel? Times(List<long> all)
    {
        all.Sort();
        return all.Count == 0 ? null : new TortureTimesModel(all[all.Count / 2], all[^1]);
    }

    private int Count(TortureKind kind, string manner) => _cuts.Count(c => c.Kind == kind && c.Manner == manner);
}
