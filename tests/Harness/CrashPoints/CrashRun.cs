using MirrorController.Firmware.Array;
using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness.Checker;

namespace MirrorController.Tests.Harness.CrashPoints;

/// <summary>One run of a scenario: from the beginning to a cut, its recovery, perhaps to a cut in that, and so on; what the last one heals is judged.</summary>
public sealed class CrashRun
{
    /// <summary>Of how many second cuts one is followed by use and one more cut of everything.</summary>
    private const ulong SecondUsedOneIn = 4;
    private const long DownMs = 20;
    private const long LookMs = 5;
    private const long HealMaxMs = 120_000;
    private const long SilenceMs = BoardLink.SilenceMaxMs + (2 * BoardLink.PingEveryMs);

    private readonly CrashStory _story;
    private readonly IReadOnlyList<CrashPoint> _path;
    private readonly Func<ulong, bool>? _isNew;
    private readonly List<SimNode> _lost = [];
    private bool _isCreationComplete;
    private bool _wasSilent;
    private long _dataOffset;

    private CrashRun(CrashScenario scenario, IReadOnlyList<CrashPoint> path, Func<ulong, bool>? isNew)
    {
        _story = new CrashStory(scenario);
        _path = path;
        _isNew = isNew;
    }

    /// <summary>Gets the world's log, one line an event.</summary>
    public IReadOnlyList<string> Log => _story.World.Log;

    /// <summary>Gets what came of it.</summary>
    public CrashOutcome Outcome { get; private set; } = null!;

    private CrashCutter Cutter => _story.Cutter;

    /// <summary>Runs a path.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <param name="path">The cuts, one after another; none: the story is told to its end.</param>
    /// <param name="isNew">Asked after the last cut whether this state is new: one that is not is left alone. Null: it is.</param>
    /// <param name="notesSteps">Whether the log has every step.</param>
    /// <exception cref="CrashPointFailedException">A rule was broken, a node ended by itself, or something did not finish.</exception>
    public static CrashRun Run(CrashScenario scenario, IReadOnlyList<CrashPoint> path, Func<ulong, bool>? isNew = null, bool notesSteps = false)
    {
        var run = new CrashRun(scenario, path, isNew);
        run.Cutter.NotesSteps = notesSteps;
        try
        {
            run.Outcome = run.Run();
        }
        catch (Exception e)
        {
            var cause = run._story.Checker.Violation?.Message ?? (e.InnerException ?? e).Message.Split("Seed ")[0];
            throw new CrashPointFailedException(NameOf(scenario, path), cause, run.Log, e);
        }

        return run;
    }

    /// <summary>Writes the arguments that replay a path.</summary>
    public static string NameOf(CrashScenario scenario, IReadOnlyList<CrashPoint> path) =>
        $"--scenario {scenario.Name}{(path.Count == 0 ? "" : " --at " + CrashPoint.PathText(path))}";

    private CrashOutcome Run()
    {
        Prepare();
        var steps = Guarded(0, () => _story.Scenario.Play(_story));
        ulong state = 0;
        for (var level = 1; level <= _path.Count; level++)
        {
            if (steps is not null)
            {
                return new CrashOutcome(false, 0, false, steps);
            }

            _wasSilent = _path[level - 1].Mode.Silent;
            _lost.Clear();
            _lost.AddRange(Cutter.Victims);
            _story.World.RunFor(DownMs);
            state = StateAfterCut();
            if (level == _path.Count && _isNew?.Invoke(state) == false)
            {
                return new CrashOutcome(true, state, false, new Dictionary<string, List<bool>>());
            }

            // Later ones may hold what an earlier cut tore: made equal and durable everywhere, it is as good as whole.
            if (level == 1 && _story.Scenario.IsCreated)
            {
                foreach (var board in _story.Boards.Where(_lost.Contains))
                {
                    CrashLoneBoard.Judge(board, _dataOffset, (int)(_story.SizeBytes / SimCluster.BlockBytes), _story.InParts.Contains);
                }
            }

            steps = Guarded(level, () =>
            {
                Restore();
                Heal();
            });
        }

        if (_path.Count == 0)
        {
            Heal();
        }

        JudgeWork(_story.Touched.Count);
        Judge();
        if (_path.Count < 2 || state % SecondUsedOneIn == 0)
        {
            UseAndCutOnceMore();
        }

        return new CrashOutcome(true, state, true, steps!);
    }

    /// <summary>Runs a part that is cut; its steps if it came to its end.</summary>
    private Dictionary<string, List<bool>>? Guarded(int level, Action part)
    {
        Cutter.Begin(level < _path.Count ? _path[level] : null);
        try
        {
            part();
            return new Dictionary<string, List<bool>>(Cutter.Steps);
        }
        catch (CrashCutException)
        {
            return null;
        }
        finally
        {
            Cutter.End();
        }
    }

    private void Prepare()
    {
        var scenario = _story.Scenario;
        if (scenario.IsCreated)
        {
            _story.Boards.ForEach(b => b.Start());
            _story.CreateVolume();
            _story.StartHost();
            _story.WaitInSync();
            _story.Await(_story.WriteBlocks(0, 12));
            _story.Settle();
            _dataOffset = _story.Cluster.DataOffset;
        }

        scenario.Prepare?.Invoke(_story);
    }

    /// <summary>Gives the power back to whoever lost it; what else the story has for after a cut comes first.</summary>
    private void Restore()
    {
        _story.Scenario.AfterCut?.Invoke(_story);
        foreach (var board in _story.Boards.Where(b => !b.IsRunning))
        {
            board.Start();
        }

        foreach (var host in _story.Hosts.Where(h => _lost.Contains(h.Node)))
        {
            _story.Host = host;
            host.Start();
        }
    }

    /// <summary>Rule 9: once faults stop, everything finishes.</summary>
    private void Heal()
    {
        if (_wasSilent)
        {
            // Until a link has been silent for its time, who lives does not know of it.
            _story.RunFor(SilenceMs);
        }

        var end = _story.World.NowMicros + (HealMaxMs * 1000);
        while (!IsHealed())
        {
            if (_story.World.NowMicros > end)
            {
                var status = _story.Host.IsRunning ? _story.Host.Coordinator.Describe() : null;
                throw new ConsistencyViolationException(
                    $"Rule 9: it has not healed within {HealMaxMs} ms. {_story.Host.Session?.Name} is {status?.State}, waits for: {status?.WaitingFor}. Open requests: {string.Join(", ", _story.OpenRequests)}.");
            }

            _story.RunFor(LookMs);
        }
    }

    private bool IsHealed()
    {
        if (!_story.Scenario.IsCreated && !CompleteCreation())
        {
            return false;
        }

        foreach (var host in _story.Hosts.Where(h => h.IsOver))
        {
            host.Look();
            host.Node.PowerCut();
        }

        var running = _story.Hosts.FindAll(h => h.IsRunning);
        if (running.Count == 0)
        {
            _story.Host.Start();
        }

        if (running.Count != 1 || running[0].IsStopping)
        {
            return false;
        }

        _story.Host = running[0];
        _story.Host.Look();
        if (_story.Host.Coordinator.Phase != CoordinatorPhase.Serving || _story.Host.Coordinator.Describe() is not { State: VolumeState.InSync } status || _story.OpenRequests.Any())
        {
            return false;
        }

        if (status.BadRanges.Count > 0)
        {
            // What no board could read may be readable again: one more opening finds it out.
            _story.CutHost();
            return false;
        }

        return true;
    }

    /// <summary>Repeats a creation that was cut.</summary>
    private bool CompleteCreation()
    {
        if (_isCreationComplete)
        {
            return true;
        }

        if (!_story.Creator.IsRunning)
        {
            _story.Creator.Start();
        }

        if (!SimCluster.IsCreated(_story.Creator))
        {
            return false;
        }

        _story.Creator.PowerCut();
        _isCreationComplete = true;
        return true;
    }

    private ulong StateAfterCut()
    {
        var hash = default(SimStateHash);
        hash.Add(_story.Told.Value);
        hash.Add(_path[^1].Mode.Silent ? 1UL : 0);
        foreach (var victim in _lost)
        {
            hash.Add(victim.Name);
        }

        foreach (var host in _story.Hosts.Where(h => h.IsRunning))
        {
            hash.Add(host.Node.Name);
            hash.Add((ulong)host.Coordinator.Phase);
        }

        foreach (var board in _story.Boards)
        {
            hash.Add(board.Nvm.Bytes);
            board.Disk.AddTo(ref hash);
            if (board.Instance is not BoardNode { Table: { } volume })
            {
                continue;
            }

            for (var i = 0; i < volume.Table.Count; i++)
            {
                var entry = volume.Table[i];
                hash.Add(entry.Tag.Value);
                hash.Add((entry.Sure ? 1UL : 0) | (entry.Stored ? 2UL : 0) | (entry.InProgress ? 4UL : 0));
            }
        }

        return hash.Value;
    }

    private void JudgeWork(int blocksMax)
    {
        if (_story.Host.Coordinator.LastRecovery is not { } recovery)
        {
            return;
        }

        // Rule 6: no more than what was in flight.
        if (recovery.PlannedBlocks > blocksMax || recovery.CopiedBytes > recovery.Attempts * (_story.Boards.Count - 1) * blocksMax * (long)SimCluster.BlockBytes)
        {
            throw new ConsistencyViolationException(
                $"Rule 6: {recovery.PlannedBlocks} blocks were compared and {recovery.CopiedBytes} bytes copied, but only {blocksMax} blocks were in flight.");
        }
    }

    private void Judge()
    {
        _story.LookAtHosts();
        byte[]? first = null;
        foreach (var board in _story.Boards)
        {
            var held = board.Disk.Peek(_story.Cluster.DataOffset, (int)_story.SizeBytes);
            first ??= held;
            var same = first.AsSpan().CommonPrefixLength(held);
            if (same < held.Length)
            {
                throw new ConsistencyViolationException($"Rule 1: {_story.Boards[0].Name} and {board.Name} differ in block {same / SimCluster.BlockBytes}.");
            }

            _story.Checker.JudgeBoard(board.Name, 0, held);
            if (board.Disk.OverlapCount > 0)
            {
                throw new ConsistencyViolationException($"Rule W4: {board.Name} had {board.Disk.OverlapCount} overlapping disk operations in flight.");
            }
        }

        _story.Checker.JudgeFound();
    }

    /// <summary>What has healed serves; what was flushed is there after one more cut of everything; and its work is what the tables say.</summary>
    private void UseAndCutOnceMore()
    {
        _story.World.Note("everything has healed");
        _story.Await(_story.ReadBlocks(0, 16));
        _story.Await(_story.WriteBlocks(13));
        _story.Await(_story.Flush());
        _story.RunFor(100);
        var inFlight = new HashSet<long>();
        for (var b = 0; b < _story.Boards.Count; b++)
        {
            var volume = _story.Cluster.Board(b).Table!;
            for (var i = 0; i < volume.Table.Count; i++)
            {
                Add(inFlight, volume.Table[i].Range);
            }

            foreach (var mark in volume.Marks)
            {
                Add(inFlight, mark.Range);
            }
        }

        Cutter.Cut(CrashPoint.Everything, new CrashMode(SimCutMedia.Lost));
        _wasSilent = false;
        _story.World.RunFor(DownMs);
        _story.Boards.ForEach(b => b.Start());
        Heal();
        JudgeWork(inFlight.Count);
        Judge();
    }

    private static void Add(HashSet<long> blocks, Protocol.Blocks.BlockRange range)
    {
        for (var block = range.Start; block < range.Start + range.Count; block++)
        {
            blocks.Add(block);
        }
    }
}
