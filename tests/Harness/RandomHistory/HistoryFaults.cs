using MirrorController.Protocol.Coordination;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>Lets things go wrong, one after another, as the plan has it; whatever it takes away it gives back after a while.</summary>
/// <remarks>Each fault draws from random numbers of its own: without one of them the others stay what they are.</remarks>
internal sealed partial class HistoryFaults
{
    private const int DownMaxMs = 1500;

    private readonly RandomHistory _history;
    private readonly List<SimNode> _boards;
    private readonly HistoryImages _images;
    private readonly HistoryOperator _operator;
    private SimRandom _random;

    public HistoryFaults(RandomHistory history)
    {
        _history = history;
        _boards = history.Cluster.Boards;
        _images = new HistoryImages(history);
        _operator = new HistoryOperator(history);
        _random = history.World.RandomFor("faults");
    }

    /// <summary>Gets how often each kind began.</summary>
    public Dictionary<HistoryFault, int> Counts { get; } = [];

    /// <summary>Gets how many there were, those left out included.</summary>
    public int Drawn { get; private set; }

    private SimWorld World => _history.World;

    /// <summary>A host starts or ends.</summary>
    public void HostsChange() => _images.HostsChange();

    public void Start() => World.ScheduleIn(1000 * _random.Between(1, _history.Plan.FaultPauseMaxMs), Next);

    /// <summary>Gets the board with an old image in it, if there is one.</summary>
    public SimNode? BoardWithImage => _images.Board;

    /// <summary>Ends every fault: from now on everything has to heal.</summary>
    public void EndAll()
    {
        World.Fabric.HealAll();
        _images.PutBack();
        _operator.Leave();
        foreach (var node in _boards.Concat(_history.HostsAndAuthority.Select(h => h.Node)))
        {
            node.Resume();
        }

        foreach (var board in _boards)
        {
            board.PowerCutAtOperation(int.MaxValue);
            EndDevice(board);
            Return(board);
        }
    }

    private void Next()
    {
        if (_history.IsEnding)
        {
            return;
        }

        _random = World.RandomFor($"fault {++Drawn}");
        if (_history.Plan.Draw(_random) is not { } fault)
        {
            return;
        }

        if (_history.Limits.Has(Drawn))
        {
            foreach (var board in _boards.Where(b => !b.IsRunning && _random.OneIn(4)))
            {
                // One that lost its power at an operation, long after its return was planned.
                Return(board);
            }

            World.Note($"fault {Drawn}: {fault}");
            Counts[fault] = Counts.GetValueOrDefault(fault) + 1;
            Begin(fault);
        }

        _random = World.RandomFor($"pause {Drawn}");
        Start();
    }

    private void Begin(HistoryFault fault)
    {
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
            case HistoryFault.KillBoard:
                board.Kill();
                ReturnLater(board);
                break;
            case HistoryFault.CutAllBoards:
                _boards.ForEach(Cut);
                break;
            case HistoryFault.CutHost:
                CutHosts();
                break;
            case HistoryFault.CutHostAtArrival:
                CutHostAtArrival();
                break;
            case HistoryFault.CutInRecovery:
                CutInRecovery();
                break;
            case HistoryFault.SpoilRecovery:
                SpoilRecovery(board);
                break;
            case HistoryFault.LoseCopies:
                LoseCopies(board);
                break;
            case HistoryFault.CutEverything:
                CutHosts();
                _boards.ForEach(Cut);
                break;
            case HistoryFault.StopHost:
                StopHost();
                break;
            case HistoryFault.ReplaceHost:
                _history.ReplaceHost();
                break;
            case HistoryFault.PauseNode:
                Pause(DrawNode());
                break;
            case HistoryFault.JumpClock:
                DrawNode().Loop?.JumpClock(1000 * _random.Between(1, _random.OneIn(2) ? 500 : 20_000));
                break;
            case HistoryFault.RestoreImage:
                if (_images.Change(board, _random))
                {
                    if (!_images.IsForSession && _random.OneIn(2))
                    {
                        // Another opening meets it.
                        _history.Hosts.ForEach(h => h.PowerCut(_random.OneIn(2)));
                        World.ScheduleIn(1000 * _random.Between(0, 100), _history.StartAHost);
                    }

                    World.ScheduleIn(1000 * _random.Between(200, 4 * DownMaxMs), _images.PutBack);
                }

                break;
            case HistoryFault.Reconcile:
                _history.Reconcile(patienceMs: _random.Between(20, 6 * DownMaxMs), boundMs: 1000 * _random.Below(6), hostInMs: _random.Between(0, DownMaxMs));
                break;
            case HistoryFault.Verify:
                _operator.Verify();
                break;
            case HistoryFault.CreateAgain:
                _operator.CreateAgain(_random.Below(_boards.Count), sameId: _random.OneIn(2));
                break;
            case HistoryFault.ShowTable:
                _operator.ShowTable(_random.Below(_boards.Count));
                break;
            default:
                if (!BeginNetwork(fault))
                {
                    BeginDevice(fault, board);
                }

                break;
        }
    }

    private void Pause(SimNode node)
    {
        node.Pause();
        var loop = node.Loop;
        Later(6 * DownMaxMs, () =>
        {
            if (ReferenceEquals(node.Loop, loop))
            {
                node.Resume();
            }
        });
    }

    private void Cut(SimNode board)
    {
        board.PowerCut(_random.OneIn(2));
        ReturnLater(board);
    }

    private void KillHosts()
    {
        foreach (var host in _history.HostsAndAuthority.Where(h => h.IsRunning))
        {
            host.PowerCut(_random.OneIn(2));
        }
    }

    private void CutHosts()
    {
        KillHosts();

        Later(DownMaxMs, _history.StartAHost);
    }

    /// <summary>The host dies, and when one starts again a board, or all, or it, lose their power in the midst of what it does first.</summary>
    private void CutInRecovery()
    {
        var victims = _random.OneIn(3) ? _boards : [_boards[_random.Below(_boards.Count)]];
        var cuts = victims.ConvertAll(b => (Board: b, At: 1 + _random.Below(40), Silent: _random.OneIn(2), BackMs: _random.Between(20, 600)));
        var hostToo = _random.OneIn(3);
        KillHosts();

        World.ScheduleIn(1000 * _random.Between(0, 200), () =>
        {
            if (_history.IsEnding)
            {
                return;
            }

            _history.StartAHost();
            foreach (var cut in cuts)
            {
                cut.Board.PowerCutAtOperation(cut.At, cut.Silent);
                World.ScheduleIn(1000 * cut.BackMs, () => Return(cut.Board));
            }

            if (hostToo)
            {
                CutHostAtArrival();
            }
        });
    }

    private void SpoilRecovery(SimNode board)
    {
        var told = _history.BlocksToCompare().Order().ToList();
        if (told.Count == 0)
        {
            return;
        }

        KillHosts();

        var block = told[_random.Below(told.Count)];
        var range = (_history.DataOffset + (block * _history.Plan.BlockBytes), (1 + _random.Below(3)) * (long)_history.Plan.BlockBytes);
        var spoiled = _random.OneIn(3) ? [board] : _boards;
        World.Note($"block {block} and what follows is to be unreadable on {string.Join(", ", spoiled.Select(b => b.Name))}");
        var (healMs, again, againMs) = (_random.Between(50, 800), _random.OneIn(2), _random.Between(5, 1000));
        // Before the recovery begins, or in the midst of it: hashed already, and not copied yet.
        var startMicros = _random.Between(0, 100_000);
        World.ScheduleIn(startMicros, _history.StartAHost);
        World.ScheduleIn(_random.OneIn(2) ? 0 : startMicros + _random.Between(0, 40_000), () =>
        {
            if (!_history.IsEnding)
            {
                spoiled.ForEach(b => b.Disk.Faults.Spoiled.Add(range));
            }
        });
        World.ScheduleIn(startMicros + (1000 * healMs), () => spoiled.ForEach(b => b.Disk.Faults.Heal(range.Item1, range.Item2)));
        if (again)
        {
            World.ScheduleIn(1000 * againMs, () =>
            {
                if (!_history.IsEnding)
                {
                    CutHosts();
                }
            });
        }
    }

    private void LoseCopies(SimNode board)
    {
        const int LookMicros = 500;
        KillHosts();

        var (lookUntil, backMicros) = (World.NowMicros + (1000 * DownMaxMs), _random.Between(0, 20_000));
        var drops = Enumerable.Range(0, 3).Select(_ => _random.Between(0, 400_000)).ToList();
        World.ScheduleIn(1000 * _random.Between(0, 100), () =>
        {
            if (!_history.IsEnding)
            {
                _history.StartAHost();
                board.Disk.Faults.FailSyncs = 1;
                Look();
            }
        });

        void Look()
        {
            if (board.Disk.Faults.FailSyncs > 0 || _history.IsEnding)
            {
                if (World.NowMicros < lookUntil && !_history.IsEnding)
                {
                    World.ScheduleIn(LookMicros, Look);
                }

                return;
            }

            board.Kill();
            World.ScheduleIn(backMicros, () => Return(board));
            drops.ForEach(d => World.ScheduleIn(d, () => Drop(board)));
        }
    }

    private void CutHostAtArrival()
    {
        if (_history.HostsAndAuthority.Where(h => h.IsRunning).LastOrDefault() is not { } host)
        {
            return;
        }

        var left = 1 + _random.Below(_random.OneIn(2) ? 20 : 200);
        var (silent, backMs) = (_random.OneIn(2), _random.Between(0, DownMaxMs));
        World.Note($"{host.Node.Name} is to lose its power when it has taken in {left} more things");
        host.Node.Loop!.HasTakenIn += () =>
        {
            if (--left == 0 && !_history.IsEnding)
            {
                host.PowerCut(silent);
                World.ScheduleIn(1000 * backMs, _history.StartAHost);
            }
        };
    }

    private void StopHost()
    {
        if (_history.Hosts.Find(h => h.IsRunning) is not { } host)
        {
            return;
        }

        var loop = host.Node.Loop;
        World.Note($"the agent of {host.Node.Name} is told to end");
        var coordinator = host.Coordinator;
        host.IsTold = true;
        var boundMs = 1000 * _random.Below(6);
        host.Node.Post(() => loop!.Guard(StopAsync(), "stop"));

        async Task StopAsync()
        {
            // One that has its session has written, and once it has ended nothing tells of it.
            host.Look();
            await coordinator.StopAsync(boundMs);
            World.ScheduleIn(0, () =>
            {
                if (ReferenceEquals(host.Node.Loop, loop) && !_history.IsEnding)
                {
                    host.PowerCut(silent: false);
                    Later(DownMaxMs, _history.StartAHost);
                }
            });
        }
    }

    private SimNode DrawNode()
    {
        var nodes = _boards.Concat(_history.HostsAndAuthority.Select(h => h.Node)).ToList();
        return nodes[_random.Below(nodes.Count)];
    }

    private void ReturnLater(SimNode board) => Later(DownMaxMs, () => Return(board));

    private void Return(SimNode board)
    {
        if (!board.IsRunning && !_images.Starts(board))
        {
            board.Start();
        }
    }

    private void Later(int maxMs, Action action) =>
        World.ScheduleIn(_history.Plan.IsQuick || _random.OneIn(3) ? _random.Between(0, 20_000) : 1000 * _random.Between(0, maxMs), action);
}
