using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Recovery;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Coordination;

/// <summary>The synchronisation authority: makes all members equal before R moves (rules R1 to R7).</summary>
/// <remarks>
/// Ended early by: <see cref="Fence"/>, <see cref="StopAsync"/>, <see cref="Abandon"/>. A member that restarts or is lost
/// voids the plan; the next attempt collects again (R6).
/// </remarks>
public sealed partial class Coordinator
{
    private const long AttemptPauseMaxMs = 5000;

    /// <summary>The most ranges that FINISH names as bad; a board has room for about as many marks.</summary>
    private const int BadRangesMax = 64;

    private readonly RangeSet _bad = new();
    private View? _view;
    private string? _openingTrouble;
    private uint _attempt;

    /// <summary>Gets what the last reconciliation did; null before the first one has ended.</summary>
    public RecoveryResult? LastRecovery { get; private set; }

    private bool IsOver => Phase is CoordinatorPhase.Fenced or CoordinatorPhase.Stopped;

    /// <summary>Gets whether this session is over, or was beaten by another opening before it served.</summary>
    private bool IsGivenUp => IsOver || (_beaten && Phase == CoordinatorPhase.Opening);

    private async Task ReconcileAsync()
    {
        var started = _loop.NowMicros;
        var unreadable = new UnreadableBlocks(_members.Length);
        long planned = 0;
        var pauseMs = 100L;
        _openingTrouble = null;
        while (!IsGivenUp)
        {
            // After a restart during recovery, this session's own writes are replayed first (R1).
            while (MissingMember() is not null)
            {
                await _signal.ChangedAsync();
                if (IsGivenUp)
                {
                    return;
                }
            }

            _attempt++;
            var boots = BootIds();
            var tables = await CollectAsync(boots, unreadable);
            if (tables is null)
            {
                pauseMs = await PauseAsync(pauseMs);
                continue;
            }

            var plan = RecoveryPlanner.Plan(tables, _session.Number, BlockBytes, Phase == CoordinatorPhase.Opening ? null : _closed);
            planned = Math.Max(planned, plan.PlannedBlocks);
            if (Phase == CoordinatorPhase.Opening)
            {
                // From here on a younger session fences this one; until here it only beat an opening, which draws again (O1).
                if (IsGivenUp)
                {
                    return;
                }

                CloseAndServe(plan);
            }

            foreach (var range in _closed)
            {
                // What an earlier attempt called bad may have found a source.
                _bad.Remove(range);
            }

            foreach (var bad in plan.BadRanges)
            {
                _bad.Add(bad);
            }

            if (await WriteBackAllAsync(boots, unreadable) && await CopyAllAsync(plan, boots, unreadable)
                && await AskAllOkAsync(Command.Sync, boots) is not null && !await IsReadableAgainAsync(plan, unreadable) && !IsGivenUp)
            {
                OpenClosed();
                if (await SettleAllAsync(boots) && !IsGivenUp)
                {
                    break;
                }
            }

            pauseMs = await PauseAsync(pauseMs);
        }

        if (IsGivenUp)
        {
            return;
        }

        LastRecovery = new RecoveryResult(planned, _copiedBytes, (_loop.NowMicros - started) / 1000, _attempt);
        _log.Info($"Volume {Name} is in sync: {planned} blocks were compared, {_copiedBytes} bytes copied, in {LastRecovery.Milliseconds} ms.");
        Settled();
    }

    /// <summary>Attempts are spaced by a growing delay, which a change of some member cuts short.</summary>
    private async Task<long> PauseAsync(long pauseMs)
    {
        await _signal.ChangedOrAfterAsync(pauseMs);
        return Math.Min(pauseMs * 2, AttemptPauseMaxMs);
    }

    private ulong[] BootIds()
    {
        var boots = new ulong[_members.Length];
        foreach (var member in _members)
        {
            boots[member.Index] = member.BootId;
        }

        return boots;
    }

    private bool IsUnchanged(Member member, ulong[] boots) => member.Readable && member.BootId == boots[member.Index];

    /// <summary>R1: R, the entries of older sessions and the repair marks of every member.</summary>
    private async Task<List<MemberTable>?> CollectAsync(ulong[] boots, UnreadableBlocks unreadable)
    {
        var answers = await AskAllAsync(Command.Collect, Tag.None);
        var tables = new List<MemberTable>();
        foreach (var member in _members)
        {
            if (!answers[member.Index].IsOk || !IsUnchanged(member, boots))
            {
                return null;
            }

            var reader = new WireReader(answers[member.Index].Body);
            var state = BoardState.Read(reader);
            var report = state is null ? null : TableReport.Read(reader);
            if (report is null || !IsWithinVolume(report))
            {
                member.Link.Reset("its tag table was malformed");
                return null;
            }

            var entries = new List<RecoveryEntry>();
            foreach (var e in report.Entries)
            {
                entries.Add(new RecoveryEntry(e.Tag, e.Range, e.Sure));
            }

            var marks = new List<BlockRange>();
            foreach (var m in report.Marks)
            {
                marks.Add(m.Range);
            }

            tables.Add(new MemberTable
            {
                Member = member.Number,
                Retired = state!.Retired,
                Entries = entries,
                Marks = marks,
                Unreadable = unreadable.Of(member),
            });
        }

        return tables;
    }

    private bool IsWithinVolume(TableReport report)
    {
        var blocks = SizeBytes / BlockBytes;
        return report.Entries.TrueForAll(e => e.Range.Start <= blocks - e.Range.Count)
            && report.Marks.TrueForAll(m => m.Range.Start <= blocks - m.Range.Count);
    }

    /// <summary>R5: what the plan covers is closed, all else is served at once.</summary>
    private void CloseAndServe(CopyPlan plan)
    {
        foreach (var range in plan.CoveredRanges)
        {
            _closed.Add(range);
        }

        Phase = CoordinatorPhase.Recovering;
        _log.Info($"Volume {Name}: {plan.PlannedBlocks} blocks to compare, {_closed.BlockCount} blocks closed until they are durable on all boards.");
        ReleaseClosedWaiters();
        _signal.Pulse();
    }

    /// <summary>R5: they are durable on all in-sync members now.</summary>
    private void OpenClosed()
    {
        _closed.Clear();
        ReleaseClosedWaiters();
    }

    private void ReleaseClosedWaiters()
    {
        foreach (var waiter in TakeClosedWaiters())
        {
            waiter();
        }

        PumpWrites();
        AskHomelessReads();
    }

    private void Settled()
    {
        _settled = true;
        Phase = CoordinatorPhase.Serving;
        foreach (var member in _members)
        {
            member.OlderEntries = 0;
            if (member.FailedWrites.Count == 0)
            {
                // A copy that failed and was not needed any more in the next attempt left its sentence here.
                member.Fault = null;
            }

            member.Durable = Tag.Max(member.Durable, SessionStart);
            member.Retired = Tag.Max(member.Retired, SessionStart);
            member.WatermarkSent = SessionStart;
        }

        Watermark = SessionStart;
        CompleteFlushes();
        PumpWrites();
        RequestFlush();
        _signal.Pulse();
    }

    /// <summary>R5: every board writes back what it is unsure of, so that what is hashed from now on is what its sync makes durable.</summary>
    /// <remarks>
    /// What a board could not read when it was to write it back stays doubtful there, however well its sync went: the
    /// answer names it, and a plan that did not know it is made anew.
    /// </remarks>
    private async Task<bool> WriteBackAllAsync(ulong[] boots, UnreadableBlocks unreadable)
    {
        var answers = await AskAllOkAsync(Command.WriteBack, boots);
        if (answers is null)
        {
            return false;
        }

        var isNews = false;
        foreach (var member in _members)
        {
            foreach (var range in RangeList.Read(new WireReader(answers[member.Index].Body), SizeBytes / BlockBytes))
            {
                if (unreadable.AddAtWriteBack(member, range))
                {
                    isNews = true;
                    _log.Warning($"Board {member.Board.Name} could not read {range} to write it back.");
                }
            }
        }

        return !isNews;
    }

    /// <summary>R7: D = the session's start on all, and only then R there and the marks away.</summary>
    /// <remarks>What no member could read keeps a mark on all: once it reads again they may differ there, and no entry tells of it any more (R2).</remarks>
    private async Task<bool> SettleAllAsync(ulong[] boots)
    {
        var bad = RangeList.Bounded(_bad, BadRangesMax);
        if (await AskAllOkAsync(Command.Settle, boots, bad) is null)
        {
            return false;
        }

        return await AskAllOkAsync(Command.Finish, boots, bad) is not null;
    }

    /// <summary>Asks all members; null unless all have answered well and none has started anew meanwhile.</summary>
    private async Task<LinkAnswer[]?> AskAllOkAsync(Command command, ulong[] boots, IReadOnlyList<BlockRange>? body = null)
    {
        var answers = await AskAllAsync(command, SessionStart, body);
        foreach (var member in _members)
        {
            var answer = answers[member.Index];
            if (!answer.IsOk || !IsUnchanged(member, boots))
            {
                if (answer.Arrived && !answer.IsOk)
                {
                    _log.Warning($"Board {member.Board.Name} did not {command}: {answer.Fault}");
                }

                return null;
            }
        }

        return answers;
    }

    private Task<LinkAnswer[]> AskAllAsync(Command command, Tag tag, IReadOnlyList<BlockRange>? body = null)
    {
        var asked = new Task<LinkAnswer>[_members.Length];
        foreach (var member in _members)
        {
            var header = NewFrame(member, command);
            header.Tag = tag.Value;
            header.Token = _attempt;
            asked[member.Index] = body is { Count: > 0 }
                ? member.Link.AskAsync(header, RangeList.Write(new WireWriter(), body))
                : member.Link.AskAsync(header);
        }

        return Task.WhenAll(asked);
    }
}
