using System.Diagnostics;
using MirrorController.HostAgent.Control;
using MirrorController.Protocol.Seams;

namespace MirrorController.HostAgent.Rig.Torture;

/// <summary>Tortures a rig: carries out the plan's rounds and judges after each one.</summary>
internal sealed class TortureRun
{
    // Limits of failure only, for machines that are busy with other things.
    private static readonly TimeSpan InSyncMax = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan AnswerMax = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);
    private readonly RigSupervisor _rig;
    private readonly TortureLoad _load;
    private readonly TortureTally _tally;
    private readonly Action<string, int> _afterCut;
    private readonly CancellationToken _cancellation;

    /// <summary>Makes the run of a rig that is up.</summary>
    /// <param name="rig">The rig.</param>
    /// <param name="load">The application.</param>
    /// <param name="tally">What counts.</param>
    /// <param name="afterCut">Told after each recovery: the round's cut, and the number of cuts so far.</param>
    /// <param name="cancellation">Ends the run.</param>
    public TortureRun(RigSupervisor rig, TortureLoad load, TortureTally tally, Action<string, int> afterCut, CancellationToken cancellation)
    {
        _rig = rig;
        _load = load;
        _tally = tally;
        _afterCut = afterCut;
        _cancellation = cancellation;
    }

    /// <summary>Carries out the rounds.</summary>
    /// <returns>The first fault; null when there was none.</returns>
    public async Task<TortureFault?> RunAsync(IReadOnlyList<TortureRound> rounds)
    {
        foreach (var round in rounds)
        {
            if (await RoundAsync(round) is { } fault)
            {
                return fault with { Sentence = $"After {_tally.Cuts} cuts, the last one of {round.Again ?? round.Cut}: {fault.Sentence}" };
            }

            _afterCut(round.Again is null ? round.Cut.ToString() : $"{round.Cut}, and of {round.Again} while it came back", _tally.Cuts);
        }

        return null;
    }

    private async Task<TortureFault?> RoundAsync(TortureRound round)
    {
        _load.Run(round.Depth);
        await Task.Delay(round.LoadMs, _cancellation);
        await CutAsync(round.Cut);
        await Task.Delay(round.DownMs, _cancellation);

        var clock = Stopwatch.StartNew();
        var restore = RestoreAsync(round.Order, round.GapMs);
        if (round.Again is { } again)
        {
            await Task.Delay(round.AgainMs, _cancellation);
            await CutAsync(again);
            // A start that the second cut has hit fails, as it should.
            await restore.ContinueWith(static t => t.Exception, TaskScheduler.Default);
            restore = _rig.RestoreAsync([.. round.Order.Union(again.Nodes, StringComparer.Ordinal)], _cancellation);
        }

        try
        {
            await restore;
        }
        catch (IOException e)
        {
            return new TortureFault(e.Message);
        }

        return await InSyncAsync(clock) ?? await JudgeAsync(round.TailMs);
    }

    private async Task CutAsync(TortureCut cut)
    {
        if (cut.HasHost)
        {
            await _load.HostPowerCutAsync();
        }

        _tally.Cut(cut);
        await Task.WhenAll(_rig.CutAsync(cut.Loud, silent: false), _rig.CutAsync(cut.Silent, silent: true));
        if (cut.HasHost)
        {
            // A connection made while the host was dying belongs to the dead one as well.
            await _load.HostPowerCutAsync();
        }
    }

    private async Task RestoreAsync(IReadOnlyList<string> order, int gapMs)
    {
        if (gapMs == 0)
        {
            await _rig.RestoreAsync(order, _cancellation);
            return;
        }

        var restores = new List<Task>();
        foreach (var node in order)
        {
            restores.Add(_rig.RestoreAsync([node], _cancellation));
            await Task.Delay(gapMs, _cancellation);
        }

        await Task.WhenAll(restores);
    }

    private async Task<TortureFault?> InSyncAsync(Stopwatch clock)
    {
        var waited = Stopwatch.StartNew();
        VolumeModel? last = null;
        while (waited.Elapsed < InSyncMax)
        {
            if (Died() is { } died)
            {
                return died;
            }

            if (_load.Fault.IsCompleted)
            {
                return await _load.Fault;
            }

            last = (await _rig.Client.GetStatusAsync(_cancellation))?.Volumes[0] ?? last;
            if (last?.State == VolumeState.InSync)
            {
                _tally.InSync(last, clock.ElapsedMilliseconds);
                return null;
            }

            await Task.Delay(Poll, _cancellation);
        }

        return new TortureFault($"The volume is not in sync {InSyncMax.TotalSeconds:F0} s after the power came back: it is {last?.State.ToString() ?? "not shown by any agent"}. {last?.WaitingFor}".Trim());
    }

    /// <summary>With the load at rest: every sector is read, the mirrors are compared.</summary>
    private async Task<TortureFault?> JudgeAsync(int tailMs)
    {
        await Task.Delay(tailMs, _cancellation);
        var fault = await AnsweredAsync(_load.PauseAsync(), "The requests in flight are") ?? await AnsweredAsync(_load.SweepAsync(), "The reads of the whole volume are");
        if (fault is not null)
        {
            return fault;
        }

        try
        {
            var result = await _rig.Client.VerifyAsync(_rig.State.Volume, static (_, _) => { }, _cancellation);
            return result switch
            {
                null => Died() ?? new TortureFault("The agent does not answer."),
                { Equal: true } => null,
                _ => Differs(result.Differences[0]),
            };
        }
        catch (ControlException e)
        {
            return Died() ?? new TortureFault($"The mirrors could not be compared: {e.Message}");
        }
    }

    private TortureFault Differs(DifferenceModel at)
    {
        var sector = at.OffsetBytes / SectorPattern.SectorBytes;
        return new TortureFault($"The mirrors differ from byte {at.OffsetBytes} on ({at.LengthBytes} bytes).", sector, _load.Checker.History(sector));
    }

    private async Task<TortureFault?> AnsweredAsync(Task answered, string what)
    {
        var limit = Task.Delay(AnswerMax, _cancellation);
        while (true)
        {
            var first = await Task.WhenAny(answered, _load.Fault, limit, Task.Delay(Poll, _cancellation));
            _cancellation.ThrowIfCancellationRequested();
            if (first == _load.Fault)
            {
                return await _load.Fault;
            }

            if (first == answered)
            {
                return null;
            }

            if (Died() is { } died)
            {
                return died;
            }

            if (first == limit)
            {
                return new TortureFault($"{what} not answered within {AnswerMax.TotalSeconds:F0} s though the volume was in sync.");
            }
        }
    }

    /// <summary>A node that ends by itself is a fault, whatever came before.</summary>
    private TortureFault? Died()
    {
        var rig = _rig.Snapshot();
        var node = rig.Boards.FirstOrDefault(b => b.Process == NodeProcess.Died) is { } board ? (board.Name, board.Reason, board.Log)
            : rig.Host.Process == NodeProcess.Died ? (RigPaths.Host, rig.Host.Reason, rig.Host.Log)
            : default;
        return node.Item1 is null ? null : new TortureFault($"{node.Item1} died by itself: {node.Item2}; see {node.Item3}.");
    }
}
