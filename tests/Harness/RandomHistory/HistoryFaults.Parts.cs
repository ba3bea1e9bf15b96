namespace MirrorController.Tests.Harness.RandomHistory;

/// <content>Faults of the network and of single devices.</content>
internal sealed partial class HistoryFaults
{
    /// <summary>Begins a fault of the network; false if it is none.</summary>
    private bool BeginNetwork(HistoryFault fault)
    {
        var (a, b) = DrawLink();
        switch (fault)
        {
            case HistoryFault.CutLink when _random.OneIn(2):
                World.Fabric.CutLoud(a, b);
                return true;
            case HistoryFault.CutLink:
                World.Fabric.CutSilent(a, b);
                return true;
            case HistoryFault.BlockLink:
                World.Fabric.Block(a, b);
                Later(4 * DownMaxMs, () => World.Fabric.Heal(a, b));
                return true;
            case HistoryFault.BlockWay:
                var (from, to) = _random.OneIn(2) ? (a, b) : (b, a);
                World.Fabric.BlockWay(from, to);
                Later(4 * DownMaxMs, () => World.Fabric.Heal(a, b));
                return true;
            case HistoryFault.Isolate:
                Isolate(DrawNode().Name);
                return true;
            case HistoryFault.GarbleLink:
                World.Fabric.Garble(a, b);
                return true;
            case HistoryFault.SlowLink:
                World.Fabric.Slow(a, b, _random.Between(1000, 400_000));
                Later(4 * DownMaxMs, () => World.Fabric.Slow(a, b, 0));
                return true;
            default:
                return false;
        }
    }

    private void Isolate(string name)
    {
        var others = _boards.Select(b => b.Name).Concat(_history.HostsAndAuthority.Select(h => h.Node.Name)).Where(n => n != name).ToList();
        others.ForEach(o => World.Fabric.Block(name, o));
        Later(4 * DownMaxMs, () => others.ForEach(o => World.Fabric.Heal(name, o)));
    }

    private (string A, string B) DrawLink()
    {
        var a = _boards[_random.Below(_boards.Count)].Name;
        var others = _boards.Select(b => b.Name).Where(n => n != a).Concat(_history.HostsAndAuthority.Select(h => h.Node.Name)).ToList();
        return (a, others[_random.Below(others.Count)]);
    }

    private void BeginDevice(HistoryFault fault, SimNode board)
    {
        World.Note($"it is {board.Name}'s");
        var disk = board.Disk.Faults;
        switch (fault)
        {
            case HistoryFault.FailDiskWrites:
                disk.FailWrites = 1 + _random.Below(3);
                disk.FailedWritesAreTaken = _random.OneIn(2);
                break;
            case HistoryFault.FailDiskReads:
                disk.FailReads = 1 + _random.Below(6);
                if (_random.OneIn(4))
                {
                    disk.FailReads = int.MaxValue;
                    Later(DownMaxMs, () => disk.FailReads = 0);
                }

                break;
            case HistoryFault.SpoilBlocks:
                Spoil(board);
                break;
            case HistoryFault.UnplugDisk:
                disk.IsAway = true;
                if (_random.OneIn(2))
                {
                    Cut(board);
                }

                Later(2 * DownMaxMs, () => disk.IsAway = false);
                break;
            case HistoryFault.BreakChip:
                PutBackImageOf(board);
                board.Nvm.IsBroken = true;
                Later(2 * DownMaxMs, () => board.Nvm.IsBroken = false);
                break;
            case HistoryFault.FailDiskSyncs:
                disk.FailSyncs = 1 + _random.Below(2);
                if (_random.OneIn(4))
                {
                    disk.FailSyncs = int.MaxValue;
                    Later(DownMaxMs, () => disk.FailSyncs = 0);
                }

                DropLater(board);
                break;
            case HistoryFault.FailWriteback:
                board.Disk.FailWriteback();
                DropLater(board);
                break;
            case HistoryFault.DropPages:
                Drop(board);
                break;
            case HistoryFault.LoseChipWrites:
                PutBackImageOf(board);
                board.Nvm.LieWrites = 1 + _random.Below(3);
                break;
            case HistoryFault.FillDisk:
                disk.IsFull = true;
                Later(DownMaxMs, () => disk.IsFull = false);
                break;
            case HistoryFault.SlowDisk:
                disk.ExtraDelayMicros = _random.Between(1000, 50_000);
                Later(DownMaxMs, () => disk.ExtraDelayMicros = 0);
                break;
            case HistoryFault.SlowSyncs:
                disk.ExtraSyncDelayMicros = _random.OneIn(2) ? _random.Between(5000, 400_000) : _random.Between(400_000, 2_500_000);
                Later(2 * DownMaxMs, () => disk.ExtraSyncDelayMicros = 0);
                for (var i = 1 + _random.Below(6); i > 0; i--)
                {
                    // Meanwhile its host loses the connection, and comes again while a sync still runs.
                    Later(DownMaxMs, () => _history.Hosts.ForEach(h => World.Fabric.CutLoud(board.Name, h.Node.Name)));
                }

                break;
            case HistoryFault.HangDisk:
                disk.IsHanging = true;
                Later(_random.OneIn(4) ? 25 * DownMaxMs : DownMaxMs, () => disk.IsHanging = false);
                break;
            case HistoryFault.FailChipTransfers:
                board.Nvm.FailTransfers = 1 + _random.Below(2);
                break;
            case HistoryFault.StickChip:
                board.Nvm.IsStuck = true;
                Later(DownMaxMs, () => board.Nvm.IsStuck = false);
                break;
            case HistoryFault.SlowChip:
                board.Nvm.ExtraDelayMicros = _random.Between(1000, 30_000);
                Later(DownMaxMs, () => board.Nvm.ExtraDelayMicros = 0);
                break;
            default:
                throw new InvalidOperationException($"{fault} is no fault of a device.");
        }
    }

    /// <summary>A board that gives its chip up starts again by itself; an old image that only its start counter tells would pass for a board that slept.</summary>
    private void PutBackImageOf(SimNode board)
    {
        if (_images.Board == board)
        {
            _images.PutBack();
        }
    }

    private void DropLater(SimNode board)
    {
        if (_random.OneIn(2))
        {
            World.ScheduleIn(1000 * _random.Between(0, 300), () => Drop(board));
        }
    }

    private static void Drop(SimNode board)
    {
        if (!board.Disk.Faults.HasUnreportedError)
        {
            // Not before a sync has told of it: until then a read of such a page is older than it may be (docs/protocol.md).
            board.Disk.DropCleanPages();
        }
    }

    private void Spoil(SimNode board)
    {
        var count = 1 + _random.Below(4);
        var block = _random.Below(_history.Plan.HotBlocks);
        var range = (_history.DataOffset + ((long)block * _history.Plan.BlockBytes), (long)count * _history.Plan.BlockBytes);
        var spoiled = _random.OneIn(2) ? _boards : [board];
        spoiled.ForEach(b => b.Disk.Faults.Spoiled.Add(range));
        World.Note($"blocks {block}+{count} cannot be read on {string.Join(", ", spoiled.Select(b => b.Name))}");
        if (_random.OneIn(2))
        {
            Later(2 * DownMaxMs, () => spoiled.ForEach(b => b.Disk.Faults.Heal(range.Item1, range.Item2)));
        }
    }

    private static void EndDevice(SimNode board)
    {
        board.Disk.Faults.FailWrites = 0;
        board.Disk.Faults.FailReads = 0;
        board.Disk.Faults.FailSyncs = 0;
        board.Disk.Faults.IsFull = false;
        board.Disk.Faults.IsAway = false;
        board.Disk.Faults.Spoiled.Clear();
        board.Disk.Faults.IsHanging = false;
        board.Disk.Faults.ExtraDelayMicros = 0;
        board.Disk.Faults.ExtraSyncDelayMicros = 0;
        board.Nvm.FailTransfers = 0;
        board.Nvm.LieWrites = 0;
        board.Nvm.IsStuck = false;
        board.Nvm.IsBroken = false;
        board.Nvm.ExtraDelayMicros = 0;
    }
}
