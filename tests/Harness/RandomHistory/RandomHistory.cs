using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness.Checker;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>One seed, one history: applications, faults, and at the end everything must heal and be right.</summary>
public sealed partial class RandomHistory
{
    private const long LookMicros = 5000;
    // A board whose chip had failed again and again waits for up to a minute before it tries once more.
    private const long HealMaxMs = 90_000;
    private const long PollMs = 20;
    private const int RestartsMax = 2;
    private const long StopMaxMicros = 10_000_000;
    // What a host sent before its end may be held up for longer than any fault lasts.
    private const long OnTheWayMaxMicros = 20_000_000;
    // A third more, for clocks that go slow.
    private const long SilenceMs = (BoardLink.SilenceMaxMs + (2 * BoardLink.PingEveryMs)) * 4 / 3;

    private readonly Dictionary<SimRequest, string> _open = [];
    private readonly HashSet<CheckedWrite> _unanswered = [];
    private readonly List<(long OffsetBytes, long LengthBytes)> _dirty = [];
    private readonly HistoryFaults _faults;
    private readonly HistoryPromises _promises;
    private readonly Dictionary<string, int> _transitions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _states = new(StringComparer.Ordinal);
    private int _lives;

    private RandomHistory(ulong seed, int? boards, HistoryLimits limits, bool isVerbose)
    {
        Plan = new HistoryPlan(seed, boards);
        Limits = limits;
        World = new SimWorld(seed, Plan.World) { IsVerbose = isVerbose };
        World.Note(Plan.ToString());
        Cluster = new SimCluster(World, Plan.Boards, Plan.SizeBytes, Plan.Apply, Plan.IsEeprom, Plan.ChipBytes, Plan.BlockBytes);
        Cluster.Boards.ForEach(b => b.Disk.HasHoles = Plan.HasHoles);
        Cluster.ChangeBoards = Plan.Apply;
        Hosts.Add(new HistoryHost(this, Cluster.Host));
        Hosts.Add(new HistoryHost(this, Cluster.AddHost("host-2")));
        Authority = new HistoryHost(this, Cluster.AddHost("authority", authorityOnly: true), serves: false);
        var nodes = Cluster.Boards.Concat(Hosts.Select(h => h.Node)).ToList();
        for (var i = 0; i < nodes.Count; i++)
        {
            nodes[i].ClockRate = Plan.ClockRates[i];
        }

        _faults = new HistoryFaults(this);
        _promises = new HistoryPromises(this);
    }

    public HistoryPlan Plan { get; }

    public HistoryLimits Limits { get; }

    public SimWorld World { get; }

    public SimCluster Cluster { get; }

    public ConsistencyChecker Checker { get; } = new();

    /// <summary>Gets how many writes were acknowledged.</summary>
    public int AcknowledgedWrites { get; private set; }

    internal List<HistoryHost> Hosts { get; } = [];

    /// <summary>Gets the operator who reconciles by hand, with a host's rights and without applications.</summary>
    internal HistoryHost Authority { get; }

    internal IEnumerable<HistoryHost> HostsAndAuthority => Hosts.Append(Authority);

    /// <summary>Gets or sets when a host died last.</summary>
    internal long LastHostEndMicros { get; set; } = long.MinValue;

    /// <summary>Gets whether the applications and the faults have ended.</summary>
    internal bool IsEnding { get; private set; }

    /// <summary>Gets how many reconciliations were judged.</summary>
    public int Recoveries { get; private set; }

    /// <summary>Gets how much they copied.</summary>
    public long CopiedBytes { get; private set; }

    /// <summary>Gets the requests that were issued.</summary>
    public List<RequestName> Issued { get; } = [];

    /// <summary>Gets how many faults were drawn.</summary>
    public int FaultsDrawn => _faults.Drawn;

    /// <summary>Gets the moment at which applications and faults ended; 0 before.</summary>
    public long EndedMicros { get; private set; }

    /// <summary>Gets where block 0 lies on the boards' disks.</summary>
    internal long DataOffset { get; private set; }

    /// <summary>Gets how often each kind of fault was let loose.</summary>
    public IReadOnlyDictionary<HistoryFault, int> FaultCounts => _faults.Counts;

    /// <summary>Gets in how many looks each state of the volume was seen.</summary>
    public IReadOnlyDictionary<string, int> StatesSeen => _states;

    /// <summary>Gets how often each change of the volume's state was seen.</summary>
    public IReadOnlyDictionary<string, int> TransitionsSeen => _transitions;

    /// <summary>Runs the history of a seed.</summary>
    /// <param name="seed">Decides everything.</param>
    /// <param name="boards">How many boards; null: what the seed draws.</param>
    /// <param name="limits">What happens at all; null for everything.</param>
    /// <param name="isVerbose">Whether requests, frames and operations of devices are noted, too.</param>
    /// <exception cref="HistoryFailedException">A rule was broken, a node ended by itself, or something did not finish.</exception>
    public static RandomHistory Run(ulong seed, int? boards = null, HistoryLimits? limits = null, bool isVerbose = false)
    {
        var history = new RandomHistory(seed, boards, limits ?? HistoryLimits.None, isVerbose);
        try
        {
            history.Run();
        }
        catch (Exception e)
        {
            throw new HistoryFailedException(history, e);
        }

        return history;
    }

    /// <summary>Counts the lives of hosts.</summary>
    internal int NextLife() => ++_lives;

    internal void Began(CheckedWrite write)
    {
        _unanswered.Add(write);
        _dirty.Add((write.OffsetBytes, write.LengthBytes));
        _promises.Issued(write);
    }

    internal void Ended(CheckedWrite write)
    {
        _unanswered.Remove(write);
        AcknowledgedWrites++;
        _promises.Acknowledged(write);
    }

    internal void Flushed(CheckedFlush flush)
    {
        Checker.Complete(flush);
        _promises.Flushed(flush);
    }

    /// <summary>Counts the requests of a life of a host that have not ended.</summary>
    internal int OpenOf(SimLoop loop) => _open.Keys.Count(r => r.Owner == loop);

    internal bool HasOldImage(SimNode board) => _faults.BoardWithImage == board;

    internal void Open(SimRequest request, string what) => _open.Add(request, what);

    internal void Closed(SimRequest request) => _open.Remove(request);

    internal void HostsChange() => _faults.HostsChange();

    internal void LookAtHosts()
    {
        foreach (var host in HostsAndAuthority)
        {
            host.Look();
        }
    }

    /// <summary>A host is about to start: whoever is there, or was short before, may fence it, and it them.</summary>
    internal void Meets(HistoryHost host)
    {
        host.HasMetAnother = LastHostEndMicros > World.NowMicros - OnTheWayMaxMicros;
        foreach (var other in HostsAndAuthority.Where(h => h != host && h.IsRunning))
        {
            (host.HasMetAnother, other.HasMetAnother) = (true, true);
        }
    }

    /// <summary>Tells whether every board has failed to read something of a range of the volume since a moment.</summary>
    internal bool HaveAllFailedToRead(long offsetBytes, long lengthBytes, long sinceMicros)
    {
        var (start, end) = (offsetBytes / Plan.BlockBytes * Plan.BlockBytes, offsetBytes + lengthBytes);
        return Cluster.Boards.TrueForAll(b => b.Disk.HasFailedToRead(DataOffset + start, end - start, sinceMicros));
    }

    /// <summary>Lets a host serve if none does.</summary>
    internal void StartAHost()
    {
        if (IsEnding)
        {
            return;
        }

        foreach (var host in Hosts.Where(h => h.IsOver))
        {
            host.PowerCut(silent: false);
        }

        if (!Hosts.Exists(h => h.IsRunning))
        {
            _open.Clear();
            Hosts[World.Random.Below(Hosts.Count)].Start();
        }
    }

    /// <summary>Another host opens the volume; the old one still lives and is to find itself fenced.</summary>
    internal void ReplaceHost()
    {
        foreach (var host in Hosts.Where(h => h.IsOver))
        {
            host.PowerCut(silent: false);
        }

        if (Hosts.Find(h => !h.IsRunning) is { } other)
        {
            other.Start();
        }
    }

    /// <summary>An operator reconciles by hand, while a host serves or not, and ends when all are equal, or out of patience; a host is started after that.</summary>
    internal void Reconcile(long patienceMs, long boundMs, long hostInMs)
    {
        if (Authority.IsRunning)
        {
            return;
        }

        Authority.Start();
        var loop = Authority.Node.Loop;
        Authority.Node.Post(() => loop!.Guard(ReconcileAsync(Authority.Coordinator), "authority"));
        World.ScheduleIn(1000 * patienceMs, End);

        async Task ReconcileAsync(Coordinator coordinator)
        {
            await coordinator.WaitInSyncAsync();
            Authority.IsTold = true;
            Authority.Look();
            await coordinator.StopAsync(boundMs);
            World.ScheduleIn(0, End);
        }

        void End()
        {
            if (Authority.IsRunning && ReferenceEquals(Authority.Node.Loop, loop))
            {
                Authority.PowerCut(silent: false);
                World.ScheduleIn(1000 * hostInMs, StartAHost);
            }
        }
    }

    private void Run()
    {
        Cluster.Boards.ForEach(b => b.Start());
        Cluster.CreateVolume();
        DataOffset = Cluster.DataOffset;
        Hosts[0].Start();
        World.RunUntil(() => Hosts[0].Coordinator.Phase == CoordinatorPhase.Serving, HealMaxMs);
        Look();
        _faults.Start();
        World.RunFor(Limits.DurationMs ?? Plan.DurationMs);
        EndedMicros = World.NowMicros;
        IsEnding = true;
        Heal();
        _promises.JudgeRoom();
        CutOnceMore();
        var sum = default(SimStateHash);
        foreach (var board in Cluster.Boards)
        {
            sum.Add(board.Nvm.Bytes);
            board.Disk.AddTo(ref sum);
        }

        // In the log, so that a seed that is run twice is compared in what it left, too.
        World.Note(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"the sum over all chips and disks is {sum.Value:x16}"));
    }

    /// <summary>Rule 9: once faults stop, everything finishes. Then all mirrors are equal and right.</summary>
    private void Heal()
    {
        World.Note("all faults end");
        _faults.EndAll();
        var (living, spare) = (Hosts[0], Hosts[1]);
        if (spare.IsRunning && (!living.IsRunning || living.IsOver))
        {
            (living, spare) = (spare, living);
        }

        spare.PowerCut(silent: false);
        Authority.PowerCut(silent: false);
        if (living.IsOver)
        {
            living.PowerCut(silent: false);
        }

        if (!living.IsRunning)
        {
            living.Start();
        }

        // Until a link has been silent for its time, the host does not know that a board had lost its power.
        World.RunFor(SilenceMs);
        var end = World.NowMicros + (HealMaxMs * 1000);
        var restarts = 0;
        while (living.IsTold || living.Coordinator.Describe().State != VolumeState.InSync || _open.Keys.Any(r => r.Owner == living.Node.Loop))
        {
            if (living.IsTold && living.Coordinator.Phase is not CoordinatorPhase.Stopped and not CoordinatorPhase.Fenced && World.NowMicros > end - (HealMaxMs * 1000) + StopMaxMicros)
            {
                throw new ConsistencyViolationException($"Rule 9: {living.Session.Name} was told to end and has not.");
            }

            if (living.IsOver)
            {
                // It met another one's opening and hears of it only now, or was told to end; the operator starts it again.
                if (++restarts > RestartsMax)
                {
                    throw new ConsistencyViolationException($"Rule 9: {living.Session.Name} is over again, though it is alone. It is {living.Coordinator.Phase}.");
                }

                living.PowerCut(silent: false);
                living.Start();
            }

            if (World.NowMicros > end)
            {
                var status = living.Coordinator.Describe();
                var requests = string.Join(", ", _open.Where(r => r.Key.Owner == living.Node.Loop).Select(r => r.Value));
                throw new ConsistencyViolationException(
                    $"Rule 9: {living.Session.Name} has not healed within {HealMaxMs} ms. It is {status.State}, waits for: {status.WaitingFor}. Open requests: {requests}.");
            }

            World.RunFor(PollMs);
        }

        if (living.Coordinator.Describe().BadRanges.Count > 0)
        {
            World.Note("all blocks can be read again: one more opening finds it out");
            living.PowerCut(silent: false);
            living.Start();
            World.RunUntil(() => living.Coordinator.Describe().State == VolumeState.InSync, HealMaxMs);
        }

        World.Note("everything has healed");
        World.RunFor(2000);
        Judge(living);
        Use(living);
        Judge(living);
    }

    /// <summary>After the last flush the power goes everywhere: what is flushed is there again.</summary>
    private void CutOnceMore()
    {
        var host = Hosts.Single(h => h.IsRunning);
        host.PowerCut(silent: false);
        Cluster.Boards.ForEach(b => b.PowerCut(World.Random.OneIn(2)));
        Cluster.Boards.ForEach(b => b.Start());
        host.Start();
        World.RunUntil(() => host.Coordinator.Phase == CoordinatorPhase.Serving, HealMaxMs);
        World.RunFor(PollMs);
        Judge(host);
    }
}
