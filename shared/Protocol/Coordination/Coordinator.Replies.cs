using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Coordination;

/// <summary>The way back of a write: replies, failed writes, the low watermark, acknowledgement (rules W5 to W7, B2, D1).</summary>
public sealed partial class Coordinator
{
    private void WriteReplied(Member member, in FrameHeader header, Payload? payload)
    {
        // Replies of an earlier boot, or to an earlier session, are void (B2).
        if (!member.Attached || header.BootId != member.BootId || header.Session != _session.Number)
        {
            return;
        }

        if (!NoteRetired(member, header))
        {
            return;
        }

        var tag = new Tag(header.Tag);
        var op = tag.Session == _session.Number ? _buffer.Find(tag.Sequence) : null;
        switch (header.Status)
        {
            case WireStatus.Ok or WireStatus.DiskFault or WireStatus.NvmFault when op is null:
                // Retired meanwhile: a reply to a write that was sent twice.
                break;
            case WireStatus.Ok:
                op!.Tokens[member.Index] = header.Token;
                if ((op.Replied & member.Bit) == 0)
                {
                    op.Replied |= member.Bit;
                    if (member.FailedWrites.Count > 0)
                    {
                        _ = member.FailedWrites.Remove(op.Tag.Sequence);
                    }

                    AdvanceLow(member);
                    if (op.Replied == _allBits && !op.Acknowledged)
                    {
                        Acknowledge(op);
                    }

                    if (!member.Readable)
                    {
                        CheckReplay(member);
                    }
                    else
                    {
                        PumpFlush(member);
                    }
                }

                if (member.Cursor < _buffer.Next)
                {
                    SendBacklog(member);
                }

                break;
            case WireStatus.DiskFault or WireStatus.NvmFault:
                WriteFailed(member, op!, WireReader.From(payload).Text());
                break;
            case WireStatus.Fenced:
                Fence($"Board {member.Board.Name} has a younger session {header.Watermark} of volume {Name}; session {_session.Number} is fenced.");
                break;
            default:
                Distrust(member, $"it refused the write {tag} with the status {header.Status}: {WireReader.From(payload).Text()}");
                break;
        }
    }

    /// <summary>While views are not built, a failed write is sent again at intervals until it succeeds (rule W7's bracket).</summary>
    private void WriteFailed(Member member, WriteOp op, string fault)
    {
        if (member.Fault != fault)
        {
            member.Fault = fault;
            _log.Error($"Board {member.Board.Name} failed to write {op.Range}: {fault} The write waits and is sent again.");
        }

        member.AwaySinceMicros ??= _loop.NowMicros;
        if (!member.FailedWrites.Contains(op.Tag.Sequence))
        {
            member.FailedWrites.Add(op.Tag.Sequence);
        }

        member.ResendDue.Add(op.Tag.Sequence);

        if (member.ResendScheduled)
        {
            return;
        }

        member.ResendScheduled = true;
        _loop.StartTimer(_options.FaultRetryMs, () =>
        {
            member.ResendScheduled = false;
            var failed = member.ResendDue.ToArray();
            member.ResendDue.Clear();
            System.Array.Sort(failed);
            foreach (var sequence in failed)
            {
                // A member that has left meanwhile gets them with its replay.
                if (member.Attached && sequence < member.Cursor && _buffer.Find(sequence) is { } again && (again.Replied & member.Bit) == 0)
                {
                    SendWrite(member, again);
                }
            }
        });
    }

    private void AdvanceLow(Member member)
    {
        if (member.LowSequence + 1 < _buffer.First)
        {
            member.LowSequence = _buffer.First - 1;
        }

        while (_buffer.Find(member.LowSequence + 1) is { } op && (op.Replied & member.Bit) != 0)
        {
            member.LowSequence++;
        }

        if (member.Fault is not null && member.FailedWrites.Count == 0 && member.Attached)
        {
            member.Fault = null;
            member.AwaySinceMicros = member.Readable ? null : member.AwaySinceMicros;
            _log.Info($"Board {member.Board.Name} writes again.");
        }
    }

    /// <summary>Rule W6: every in-sync member has replied; the application gets its answer, the range is free.</summary>
    private void Acknowledge(WriteOp op)
    {
        op.Acknowledged = true;
        if (op.Tag.Sequence > _acknowledgedHigh)
        {
            _acknowledgedHigh = op.Tag.Sequence;
        }

        var done = op.Done!;
        op.Done = null;
        if (!_bad.IsEmpty)
        {
            // What was unreadable on all members is good again once it is overwritten (R2).
            _bad.Remove(op.Range);
        }

        CountForBackgroundFlush(op);
        _lock.Release(op);
        if (_ready.Count > 0)
        {
            // D6: somebody waits for room, and now there is something that a flush can make room of.
            PumpWrites();
        }

        done.Completed(VolumeError.None, null);
    }
}
