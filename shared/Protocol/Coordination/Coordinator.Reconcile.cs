using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Recovery;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Coordination;

/// <summary>What a reconciliation did.</summary>
/// <param name="PlannedBlocks">The blocks compared.</param>
/// <param name="CopiedBytes">The bytes copied, over all targets.</param>
/// <param name="Milliseconds">From the first question to the last mark.</param>
/// <param name="Attempts">How many plans it took.</param>
public sealed record RecoveryResult(long PlannedBlocks, long CopiedBytes, long Milliseconds, uint Attempts);

/// <summary>The synchronisation authority: makes all members equal before R moves (rules R1 to R7).</summary>
/// <remarks>
/// Ended early by: <see cref="Fence"/>, <see cref="StopAsync"/>, <see cref="Abandon"/>. A member that restarts or is lost
/// voids the plan; the next attempt collects again (R6).
/// </remarks>
public sealed partial class Coordinator
{
    private const int CopiesAtOnceMax = 8;

    private readonly RangeSet _bad = new();
    private View? _view;
    private string? _openingTrouble;
    private uint _attempt;
    private long _copiedBytes;

    /// <summary>Gets what the last reconciliation did; null before the first one has ended.</summary>
    public RecoveryResult? LastRecovery { get; private set; }

    private bool IsOver => Phase is CoordinatorPhase.Fenced or CoordinatorPhase.Stopped;

    private async Task ReconcileAsync()
    {
        var started = _loop.NowMicros;
        var unreadable = new Dictionary<int, RangeSet>();
        long planned = 0;
        var pauseMs = 100L;
        _openingTrouble = null;
        while (!IsOver)
        {
            // After a restart during recovery, this session's own writes are replayed first (R1).
            while (MissingMember() is not null)
            {
                await _signal.ChangedAsync();
                if (IsOver || _beaten)
                {
                    return;
                }
            }

            _attempt++;
            var boots = BootIds();
            var tables = await CollectAsync(boots, unreadable);
            if (tables is null)
            {
                continue;
            }

            var plan = RecoveryPlanner.Plan(tables, _session.Number, BlockBytes, Phase == CoordinatorPhase.Opening ? null : _closed);
            planned = Math.Max(planned, plan.PlannedBlocks);
            if (Phase == CoordinatorPhase.Opening)
            {
                // From here on a younger session fences this one; until here it only beat an opening, which draws again (O1).
                if (_beaten)
                {
                    return;
                }

                CloseAndServe(plan);
            }

            foreach (var bad in plan.BadRanges)
            {
                _bad.Add(bad);
            }

            if (await CopyAllAsync(plan, boots, unreadable) && await SyncAllAsync(boots) && !IsOver)
            {
                OpenClosed();
                if (await SettleAllAsync(boots) && !IsOver)
                {
                    break;
                }
            }

            await _signal.ChangedOrAfterAsync(pauseMs);
            pauseMs = Math.Min(pauseMs * 2, 5000);
        }

        if (IsOver)
        {
            return;
        }

        LastRecovery = new RecoveryResult(planned, _copiedBytes, (_loop.NowMicros - started) / 1000, _attempt);
        _log.Info($"Volume {Name} is in sync: {planned} blocks were compared, {_copiedBytes} bytes copied, in {LastRecovery.Milliseconds} ms.");
        Settled();
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
    private async Task<List<MemberTable>?> CollectAsync(ulong[] boots, Dictionary<int, RangeSet> unreadable)
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
            if (report is null)
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
                Member = member.State!.Member,
                Retired = state!.Retired,
                Entries = entries,
                Marks = marks,
                Unreadable = unreadable.TryGetValue(member.Index, out var set) ? ToList(set) : [],
            });
        }

        return tables;
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
            if (member.FailedWrites.Count == 0)
            {
                // A copy that failed in an earlier attempt; this one may have needed no copy to that member.
                member.Fault = null;
            }
        }

        Watermark = SessionStart;
        PumpWrites();
        RequestFlush();
        _signal.Pulse();
    }

    /// <summary>R3: compares and copies, some steps at once.</summary>
    private async Task<bool> CopyAllAsync(CopyPlan plan, ulong[] boots, Dictionary<int, RangeSet> unreadable)
    {
        var next = 0;
        var fine = true;
        var workers = new Task[Math.Min(CopiesAtOnceMax, plan.Steps.Count)];
        for (var i = 0; i < workers.Length; i++)
        {
            workers[i] = WorkAsync();
        }

        await Task.WhenAll(workers);
        return fine;

        async Task WorkAsync()
        {
            while (fine && !IsOver && next < plan.Steps.Count)
            {
                var step = plan.Steps[next++];
                if (!await CopyStepAsync(step, boots, unreadable))
                {
                    fine = false;
                }
            }
        }
    }

    private async Task<bool> CopyStepAsync(CopyStep step, ulong[] boots, Dictionary<int, RangeSet> unreadable)
    {
        var source = MemberByNumber(step.Source);
        var hashes = new Dictionary<Member, byte[]>();
        var asked = new List<(Member Member, Task<LinkAnswer> Answer)>();
        foreach (var member in _members)
        {
            if (member == source || step.Targets.Contains(member.State!.Member))
            {
                var header = NewFrame(member, Command.Hash);
                header.Address = step.Range.Start;
                header.Count = step.Range.Count;
                header.Token = _attempt;
                asked.Add((member, member.Link.AskAsync(header)));
            }
        }

        foreach (var (member, task) in asked)
        {
            var answer = await task;
            if (!answer.Arrived || !IsUnchanged(member, boots))
            {
                return false;
            }

            if (answer.Header.Status == WireStatus.DiskFault)
            {
                // R2: a target is overwritten whatever it holds; a source that cannot be read makes a new plan.
                _log.Warning($"Board {member.Board.Name} cannot read {step.Range}: {answer.Fault}");
                if (member == source)
                {
                    await FindUnreadableAsync(member, step.Range, unreadable);
                    return false;
                }

                continue;
            }

            if (!answer.IsOk || answer.Body.Length != 16)
            {
                return false;
            }

            hashes[member] = answer.Body;
        }

        foreach (var (target, _) in asked)
        {
            if (target == source || (hashes.TryGetValue(target, out var hash) && hash.AsSpan().SequenceEqual(hashes[source])))
            {
                continue;
            }

            var header = NewFrame(target, Command.Copy);
            header.Address = step.Range.Start;
            header.Count = step.Range.Count;
            header.Generator = source.State!.Member;
            header.Tag = boots[source.Index];
            header.Token = _attempt;
            var address = source.Board.ForPeers;
            var answer = await target.Link.AskAsync(header, new WireWriter().Text(address.Host).I32(address.Port));
            if (!answer.IsOk)
            {
                if (answer.Arrived)
                {
                    _log.Warning($"Board {target.Board.Name} could not copy {step.Range} from board {source.Board.Name}: {answer.Fault}");
                    target.Fault = $"it could not copy from board {source.Board.Name}: {answer.Fault}";
                }

                return false;
            }

            target.Fault = null;
            if (unreadable.TryGetValue(target.Index, out var healed))
            {
                // Written anew, it can be read again.
                healed.Remove(step.Range);
            }

            _copiedBytes += (long)step.Range.Count * BlockBytes;
        }

        return true;
    }

    /// <summary>Finds which blocks of a range a member cannot read: an input of the next attempt's plan (R2).</summary>
    private async Task FindUnreadableAsync(Member member, BlockRange range, Dictionary<int, RangeSet> unreadable)
    {
        if (!unreadable.TryGetValue(member.Index, out var set))
        {
            unreadable.Add(member.Index, set = new RangeSet());
        }

        for (var block = range.Start; block < range.End; block++)
        {
            var header = NewFrame(member, Command.Hash);
            header.Address = block;
            header.Count = 1;
            header.Token = _attempt;
            var answer = await member.Link.AskAsync(header);
            if (!answer.Arrived)
            {
                return;
            }

            if (answer.Header.Status == WireStatus.DiskFault)
            {
                set.Add(new BlockRange(block, 1));
            }
        }
    }

    /// <summary>R5: every board makes durable what it holds, having written back what it is unsure of; D does not move.</summary>
    private Task<bool> SyncAllAsync(ulong[] boots) => AskAllOkAsync(Command.Sync, boots);

    /// <summary>R7: D = the session's start on all, and only then R there and the marks away.</summary>
    private async Task<bool> SettleAllAsync(ulong[] boots) =>
        await AskAllOkAsync(Command.Settle, boots) && await AskAllOkAsync(Command.Finish, boots);

    private async Task<bool> AskAllOkAsync(Command command, ulong[] boots)
    {
        var answers = await AskAllAsync(command, SessionStart);
        foreach (var member in _members)
        {
            var answer = answers[member.Index];
            if (!answer.IsOk || !IsUnchanged(member, boots))
            {
                if (answer.Arrived && !answer.IsOk)
                {
                    _log.Warning($"Board {member.Board.Name} did not {command}: {answer.Fault}");
                }

                return false;
            }
        }

        return true;
    }

    private Task<LinkAnswer[]> AskAllAsync(Command command, Tag tag)
    {
        var asked = new Task<LinkAnswer>[_members.Length];
        foreach (var member in _members)
        {
            var header = NewFrame(member, command);
            header.Tag = tag.Value;
            header.Token = _attempt;
            asked[member.Index] = member.Link.AskAsync(header);
        }

        return Task.WhenAll(asked);
    }

    private Member MemberByNumber(int number)
    {
        foreach (var member in _members)
        {
            if (member.State?.Member == number)
            {
                return member;
            }
        }

        throw new InvariantException("a plan names members only");
    }

    private static List<BlockRange> ToList(RangeSet set)
    {
        var list = new List<BlockRange>();
        foreach (var range in set)
        {
            list.Add(range);
        }

        return list;
    }
}
