namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>Lets things go wrong, one after another, as the plan has it; whatever it takes away it gives back after a while.</summary>
internal sealed class HistoryFaults
{
    private const int DownMaxMs = 1500;

    private readonly RandomHistory _history;
    private readonly SimRandom _random;
    private readonly List<SimNode> _boards;

    public HistoryFaults(RandomHistory history)
    {
        _history = history;
        _random = history.World.Random.Fork();
        _boards = history.Cluster.Boards;
    }

    /// <summary>Gets how often each kind began.</summary>
    public Dictionary<HistoryFault, int> Counts { get; } = [];

    private SimWorld World => _history.World;

    public void Start() => World.ScheduleIn(1000 * _random.Between(1, _history.Plan.FaultPauseMaxMs), Next);

    /// <summary>Ends every fault: from now on everything has to heal.</summary>
    public void EndAll()
    {
        World.Fabric.HealAll();
        foreach (var board in _boards)
        {
            board.PowerCutAtOperation(int.MaxValue);
            board.Disk.Faults.FailWrites = 0;
            board.Disk.Faults.FailReads = 0;
            board.Disk.Faults.FailSyncs = 0;
            board.Disk.Faults.IsHanging = false;
            board.Disk.Faults.ExtraDelayMicros = 0;
            board.Nvm.FailTransfers = 0;
            board.Nvm.IsStuck = false;
            Return(board);
        }
    }

    private void Next()
    {
        if (_history.IsEnding)
        {
            return;
        }

        if (_history.Plan.Draw(_random) is { } fault)
        {
            foreach (var board in _boards.Where(b => !b.IsRunning && _random.OneIn(4)))
            {
                // One that lost its power at an operation, long after its return was planned.
                Return(board);
            }

            Begin(fault);
            Start();
        }
    }

    private void Begin(HistoryFault fault)
    {
        Counts[fault] = Counts.GetValueOrDefault(fault) + 1;
        var board = _boards[_random.Below(_boards.Count)];
        switch (fault)
        {
            case HistoryFault.CutBoard:
                Cut(board);
                break;
            case HistoryFault.CutBoardAtOperation:
                var count = 1 + _random.Below(60);
                World.Note($"{board.Name} is to lose its power at its {count}. operation from now");
                board.PowerCutAtOperation(count, _random.OneIn(2));
                ReturnLater(board);
                break;
            case HistoryFault.CutAllBoards:
                _boards.ForEach(Cut);
                break;
            case HistoryFault.CutHost:
                CutHosts();
                break;
            case HistoryFault.CutEverything:
                CutHosts();
                _boards.ForEach(Cut);
                break;
            case HistoryFault.ReplaceHost:
                _history.ReplaceHost();
                break;
            case HistoryFault.CutLink:
                CutLink();
                break;
            case HistoryFault.BlockLink:
                var (a, b) = DrawLink();
                World.Fabric.Block(a, b);
                Later(4 * DownMaxMs, () => World.Fabric.Heal(a, b));
                break;
            default:
                BeginDevice(fault, board);
                break;
        }
    }

    private void BeginDevice(HistoryFault fault, SimNode board)
    {
        World.Note($"{fault} at {board.Name}");
        var disk = board.Disk.Faults;
        switch (fault)
        {
            case HistoryFault.FailDiskWrites:
                disk.FailWrites = 1 + _random.Below(3);
                disk.FailedWritesAreTaken = _random.OneIn(2);
                break;
            case HistoryFault.FailDiskReads:
                disk.FailReads = 1 + _random.Below(6);
                break;
            case HistoryFault.FailDiskSyncs:
                disk.FailSyncs = 1 + _random.Below(2);
                break;
            case HistoryFault.SlowDisk:
                disk.ExtraDelayMicros = _random.Between(1000, 50_000);
                Later(DownMaxMs, () => disk.ExtraDelayMicros = 0);
                break;
            case HistoryFault.HangDisk:
                disk.IsHanging = true;
                Later(DownMaxMs, () => disk.IsHanging = false);
                break;
            case HistoryFault.FailChipTransfers:
                board.Nvm.FailTransfers = 1 + _random.Below(2);
                break;
            case HistoryFault.StickChip:
                board.Nvm.IsStuck = true;
                Later(DownMaxMs, () => board.Nvm.IsStuck = false);
                break;
            default:
                throw new InvalidOperationException($"{fault} is no fault of a device.");
        }
    }

    private void Cut(SimNode board)
    {
        board.PowerCut(_random.OneIn(2));
        ReturnLater(board);
    }

    private void CutHosts()
    {
        foreach (var host in _history.Hosts.Where(h => h.IsRunning))
        {
            host.PowerCut(_random.OneIn(2));
        }

        Later(DownMaxMs, _history.StartAHost);
    }

    private void CutLink()
    {
        var (a, b) = DrawLink();
        if (_random.OneIn(2))
        {
            World.Fabric.CutLoud(a, b);
        }
        else
        {
            World.Fabric.CutSilent(a, b);
        }
    }

    private (string A, string B) DrawLink()
    {
        var a = _boards[_random.Below(_boards.Count)].Name;
        var others = _boards.Select(b => b.Name).Where(n => n != a).Concat(_history.Hosts.Select(h => h.Node.Name)).ToList();
        return (a, others[_random.Below(others.Count)]);
    }

    private void ReturnLater(SimNode board) => Later(DownMaxMs, () => Return(board));

    private static void Return(SimNode board)
    {
        if (!board.IsRunning)
        {
            board.Start();
        }
    }

    private void Later(int maxMs, Action action) =>
        World.ScheduleIn(_random.OneIn(3) ? _random.Between(0, 20_000) : 1000 * _random.Between(0, maxMs), action);
}
