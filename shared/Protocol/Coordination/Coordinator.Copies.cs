using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Recovery;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Coordination;

/// <summary>The copies of a reconciliation: hashes of source and targets are compared, what differs goes board to board (rule R3).</summary>
public sealed partial class Coordinator
{
    private const int CopiesAtOnceMax = 8;

    private long _copiedBytes;

    /// <summary>R3: compares and copies, some steps at once.</summary>
    private async Task<bool> CopyAllAsync(CopyPlan plan, ulong[] boots, UnreadableBlocks unreadable)
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

    private async Task<bool> CopyStepAsync(CopyStep step, ulong[] boots, UnreadableBlocks unreadable)
    {
        var source = MemberByNumber(step.Source);
        var hashes = new Dictionary<Member, byte[]>();
        var asked = new List<(Member Member, Task<LinkAnswer> Answer)>();
        foreach (var member in _members)
        {
            if (member == source || step.Targets.Contains(member.Number))
            {
                asked.Add((member, AskHashAsync(member, step.Range)));
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
            // What the target could not read to write it back it may read now: its hash says nothing of what a sync makes durable.
            if (target == source
                || (!unreadable.Overlaps(target, step.Range) && hashes.TryGetValue(target, out var hash) && hash.AsSpan().SequenceEqual(hashes[source])))
            {
                continue;
            }

            var header = NewFrame(target, Command.Copy);
            header.Address = step.Range.Start;
            header.Count = step.Range.Count;
            header.Generator = (ushort)source.Number;
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
            unreadable.Rewritten(target, step.Range);
            _copiedBytes += (long)step.Range.Count * BlockBytes;
        }

        return true;
    }

    /// <summary>Finds which blocks of a range a member cannot read: an input of the next attempt's plan (R2).</summary>
    private async Task FindUnreadableAsync(Member member, BlockRange range, UnreadableBlocks unreadable)
    {
        for (var block = range.Start; block < range.End; block++)
        {
            var answer = await AskHashAsync(member, new BlockRange(block, 1));
            if (!answer.Arrived)
            {
                return;
            }

            if (answer.Header.Status == WireStatus.DiskFault)
            {
                unreadable.Add(member, new BlockRange(block, 1));
            }
        }
    }

    /// <summary>
    /// Asks once more for what no member could read (R2): a disk that was away for a moment must not leave blocks behind that give errors
    /// until they are overwritten.
    /// </summary>
    /// <returns>True if some member reads some of it now: a reason for a new plan.</returns>
    private async Task<bool> IsReadableAgainAsync(CopyPlan plan, UnreadableBlocks unreadable)
    {
        var found = false;
        var asked = 0;
        foreach (var range in plan.BadRanges)
        {
            // Piece by piece, and not too many: a disk that is really bad there takes its time for each.
            for (var at = range.Start; at < range.End && asked < BadRangesMax; at += RequestMax / BlockBytes, asked++)
            {
                var piece = BlockRange.FromTo(at, Math.Min(range.End, at + (RequestMax / BlockBytes)));
                foreach (var member in _members)
                {
                    var answer = await AskHashAsync(member, piece);
                    if (answer.IsOk)
                    {
                        unreadable.Rewritten(member, piece);
                        found = true;
                    }
                }
            }
        }

        return found;
    }

    private Task<LinkAnswer> AskHashAsync(Member member, BlockRange range, bool perBlock = false)
    {
        var header = NewFrame(member, Command.Hash);
        header.Address = range.Start;
        header.Count = range.Count;
        header.Token = _attempt;
        header.Tag = perBlock ? 1u : 0;
        return member.Link.AskAsync(header);
    }

    private Member MemberByNumber(int number)
    {
        foreach (var member in _members)
        {
            if (member.Number == number)
            {
                return member;
            }
        }

        throw new InvariantException("a plan names members only");
    }
}
