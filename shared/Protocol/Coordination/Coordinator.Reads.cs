using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Coordination;

/// <summary>The read path: one member answers; which one changes from read to read.</summary>
public sealed partial class Coordinator
{
    private readonly Stack<ReadOp> _freeReads = new();
    private readonly Queue<ReadOp> _homelessReads = new();
    private ulong _lastRead;
    private int _nextReader;

    /// <inheritdoc/>
    public void Read(long offsetBytes, int lengthBytes, IVolumeCompletion done)
    {
        if (!IsRequestValid(offsetBytes, lengthBytes))
        {
            Answer(done, VolumeError.Invalid);
            return;
        }

        if (IsOver)
        {
            Answer(done, VolumeError.Shutdown);
            return;
        }

        var range = Covering(offsetBytes, lengthBytes, out var headBytes, out _);
        var op = NewRead();
        op.Begin(range, headBytes, lengthBytes, done);
        EnterRead(op);
    }

    /// <summary>Reads whole blocks for a write that holds their lock.</summary>
    internal void ReadUnderLock(BlockRange range, IVolumeCompletion done)
    {
        var op = NewRead();
        op.Begin(range, 0, range.Count * BlockBytes, done);
        Ask(op);
    }

    /// <summary>The writes that were in flight when the read was issued are done (rule W1); the read holds no lock afterwards.</summary>
    internal void ReadGranted(ReadOp op)
    {
        _lock.Release(op);
        Ask(op);
    }

    private ReadOp NewRead() => _freeReads.TryPop(out var op) ? op : new ReadOp(this);

    private void EnterRead(ReadOp op)
    {
        if (IsOver)
        {
            EndRead(op, VolumeError.Shutdown, null);
            return;
        }

        if (Phase == CoordinatorPhase.Opening || _closed.Intersects(op.Range))
        {
            _closedWaiters.Add(() => EnterRead(op));
            return;
        }

        if (_lock.WouldWait(op.Range, exclusive: false))
        {
            if (_lock.Acquire(op, exclusive: false))
            {
                ReadGranted(op);
            }

            return;
        }

        Ask(op);
    }

    private void Ask(ReadOp op)
    {
        if (IsOver)
        {
            EndRead(op, VolumeError.Shutdown, null);
            return;
        }

        if (_bad.Intersects(op.Range) || (op.Failed == _allBits))
        {
            // From the queue: a request never ends inside the call that began it.
            _loop.Post(() => EndRead(op, VolumeError.Io, null));
            return;
        }

        for (var i = 0; i < _members.Length; i++)
        {
            var member = _members[_nextReader];
            _nextReader = _nextReader + 1 == _members.Length ? 0 : _nextReader + 1;
            // B4: only a member whose replay is complete is read.
            if (!member.Readable || (op.Failed & member.Bit) != 0)
            {
                continue;
            }

            op.RequestId = ++_lastRead;
            op.AskedIndex = member.Index;
            member.Reads.Add(op.RequestId, op);
            var header = NewFrame(member, Command.Read);
            header.RequestId = op.RequestId;
            header.Address = op.Range.Start;
            header.Count = op.Range.Count;
            member.Link.Connection.SendFrame(ref header);
            return;
        }

        _homelessReads.Enqueue(op);
    }

    private void ReadReplied(Member member, in FrameHeader header, Payload? payload)
    {
        if (!member.Reads.Remove(header.RequestId, out var op))
        {
            return;
        }

        op.AskedIndex = -1;
        switch (header.Status)
        {
            case WireStatus.Ok when payload is not null && payload.Length == op.Range.Count * BlockBytes:
                if (op.LengthBytes == payload.Length)
                {
                    EndRead(op, VolumeError.None, payload);
                }
                else
                {
                    var part = payload.Part(op.SkipBytes, op.LengthBytes);
                    EndRead(op, VolumeError.None, part);
                    part.Release();
                }

                return;
            case WireStatus.Ok:
                Distrust(member, $"it answered a read of {op.Range} with {payload?.Length ?? 0} bytes");
                Ask(op);
                return;
            case WireStatus.NotNow or WireStatus.WrongBoot:
                // It restarted and the link does not know yet: another member, or this one after its replay.
                member.Readable = false;
                Ask(op);
                member.Link.Reset("it does not read under the boot that it was attached with");
                return;
            case WireStatus.Fenced:
                _homelessReads.Enqueue(op);
                Fence($"Board {member.Board.Name} has a younger session {header.Watermark} of volume {Name}; session {_session.Number} is fenced.");
                return;
            default:
                _log.Warning($"Board {member.Board.Name} cannot read {op.Range}: {WireReader.From(payload).Text()}");
                op.Failed |= member.Bit;
                Ask(op);
                return;
        }
    }

    private void EndRead(ReadOp op, VolumeError error, Payload? data)
    {
        var done = op.Done;
        _freeReads.Push(op);
        done.Completed(error, data);
    }

    private void ReissueReads(Member member)
    {
        if (member.Reads.Count == 0)
        {
            return;
        }

        var reads = member.Reads.Values.ToArray();
        member.Reads.Clear();
        foreach (var op in reads)
        {
            op.AskedIndex = -1;
            Ask(op);
        }
    }

    private void AskHomelessReads()
    {
        for (var n = _homelessReads.Count; n > 0; n--)
        {
            Ask(_homelessReads.Dequeue());
        }
    }

    private void FailReads()
    {
        while (_homelessReads.TryDequeue(out var op))
        {
            EndRead(op, VolumeError.Shutdown, null);
        }

        foreach (var member in _members)
        {
            var reads = member.Reads.Values.ToArray();
            member.Reads.Clear();
            foreach (var op in reads)
            {
                EndRead(op, VolumeError.Shutdown, null);
            }
        }
    }
}
