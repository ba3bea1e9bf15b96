using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Coordination;

/// <summary>The write path: request, range lock, room, tag, sending, replies, acknowledgement (rules W1 to W6, D6).</summary>
public sealed partial class Coordinator
{
    /// <summary>A request must not cross a multiple of this many bytes.</summary>
    public const int RequestMax = 256 * 1024;

    private const long QueuedBytesMax = 16L << 20;

    private readonly Queue<WriteOp> _ready = new();
    private readonly Stack<WriteOp> _freeWrites = new();
    private readonly List<Action> _closedWaiters = [];
    private readonly SortedSet<int> _generators = [];
    private ulong _acknowledgedHigh;
    private bool _stopping;

    private Tag HighestTag => _session.IsNone ? Tag.None : Tag.Of(_session.Number, _buffer.Next - 1);

    /// <inheritdoc/>
    public int OpenGenerator()
    {
        var number = 1;
        while (!_generators.Add(number))
        {
            number++;
        }

        return number;
    }

    /// <inheritdoc/>
    public void CloseGenerator(int generator) => _generators.Remove(generator);

    /// <inheritdoc/>
    public void Write(int generator, long offsetBytes, Payload payload, bool fua, IVolumeCompletion done)
    {
        if (!IsRequestValid(offsetBytes, payload.Length))
        {
            Answer(done, VolumeError.Invalid);
            return;
        }

        if (IsOver || _stopping)
        {
            Answer(done, VolumeError.Shutdown);
            return;
        }

        if (!_freeWrites.TryPop(out var op))
        {
            op = new WriteOp(this, _members.Length);
        }

        payload.AddReference();
        var range = Covering(offsetBytes, payload.Length, out var headBytes, out var tailBytes);
        op.Begin(range, payload, (ushort)generator, fua, done);
        if (headBytes + tailBytes > 0)
        {
            op.Edges = new EdgeRead(this, op, BlockBytes, headBytes, tailBytes);
        }

        EnterWrite(op);
    }

    /// <summary>The range is free: an unaligned write reads its edges, any other is ready for its tag.</summary>
    internal void WriteGranted(WriteOp op)
    {
        if (IsOver)
        {
            _loop.Post(() => EndUntagged(op, VolumeError.Shutdown));
            return;
        }

        if (op.Edges is { } edges)
        {
            op.Edges = null;
            edges.Start();
            return;
        }

        _ready.Enqueue(op);
        PumpWrites();
    }

    /// <summary>The whole blocks of an unaligned write are there.</summary>
    internal void EdgesComplete(WriteOp op)
    {
        if (IsOver)
        {
            EndUntagged(op, VolumeError.Shutdown);
            return;
        }

        _ready.Enqueue(op);
        PumpWrites();
    }

    /// <summary>The edge of an unaligned write cannot be read.</summary>
    internal void EdgesFailed(WriteOp op, VolumeError error) => EndUntagged(op, error);

    private void EnterWrite(WriteOp op)
    {
        if (IsOver)
        {
            FreeUntagged(op, VolumeError.Shutdown);
            return;
        }

        // R5: who meets a closed block waits before the lock, so that nobody behind waits longer than for the block.
        if (Phase == CoordinatorPhase.Opening || _closed.Intersects(op.Range))
        {
            _closedWaiters.Add(() => EnterWrite(op));
            return;
        }

        if (_lock.Acquire(op, exclusive: true))
        {
            WriteGranted(op);
        }
    }

    /// <summary>Draws tags for writes that have everything, and sends them (rule W2).</summary>
    private void PumpWrites()
    {
        while (_ready.TryPeek(out var op))
        {
            if (!IsServing || !MayDraw(op))
            {
                return;
            }

            _ready.Dequeue();
            _buffer.Add(op, _session.Number);
            foreach (var member in _members)
            {
                // A member in replay, or one with much queued, gets it later and in order (B2).
                if (member.Attached && member.Cursor == op.Tag.Sequence && member.Link.Connection.QueuedBytes < QueuedBytesMax)
                {
                    SendWrite(member, op);
                    member.Cursor++;
                }
            }
        }
    }

    /// <summary>Rule D6: room in every member's table, and in the replay buffer.</summary>
    private bool MayDraw(WriteOp op)
    {
        if (_buffer.Next >= Tag.SequenceMax)
        {
            return false;
        }

        foreach (var member in _members)
        {
            if (!member.HasRoom(_session.Number, _buffer.Next))
            {
                MakeRoom();
                return false;
            }
        }

        if (_buffer.Count > 0 && _buffer.PinnedBytes + op.Payload.Length > _options.ReplayBufferMax)
        {
            MakeRoom();
            return false;
        }

        return true;
    }

    private void SendWrite(Member member, WriteOp op)
    {
        var header = NewFrame(member, Command.Write);
        header.Flags = (op.Fua ? FrameFlags.Fua : FrameFlags.None)
            | (op.Tag.Sequence <= member.ReplayThrough ? FrameFlags.Resent : FrameFlags.None);
        header.RequestId = op.Tag.Sequence;
        header.Tag = op.Tag.Value;
        header.Address = op.Range.Start;
        header.Count = op.Range.Count;
        header.Generator = op.Generator;
        if (_settled)
        {
            header.Watermark = Watermark.Value;
            header.Token = member.RetiredToken;
            member.WatermarkSent = Watermark;
        }

        member.Link.Connection.SendFrame(ref header, op.Payload);
    }

    /// <summary>Sends what a member has not been sent on this connection, in tag order (rule B2), as far as its connection takes it.</summary>
    private void SendBacklog(Member member)
    {
        if (!member.Attached)
        {
            return;
        }

        if (member.Cursor < _buffer.First)
        {
            member.Cursor = _buffer.First;
        }

        while (member.Cursor < _buffer.Next && member.Link.Connection.QueuedBytes < QueuedBytesMax)
        {
            var op = _buffer.Find(member.Cursor)!;
            if ((op.Replied & member.Bit) == 0)
            {
                SendWrite(member, op);
            }

            member.Cursor++;
        }
    }

    /// <summary>Ends a write that has its lock but no tag.</summary>
    private void EndUntagged(WriteOp op, VolumeError error)
    {
        _lock.Release(op);
        FreeUntagged(op, error);
    }

    private void FreeUntagged(WriteOp op, VolumeError error)
    {
        var done = op.Done!;
        op.Done = null;
        op.Payload.Release();
        _freeWrites.Push(op);
        done.Completed(error, null);
    }

    private void Answer(IVolumeCompletion done, VolumeError error) => _loop.Post(() => done.Completed(error, null));

    private bool IsRequestValid(long offsetBytes, int lengthBytes) =>
        lengthBytes > 0 && offsetBytes >= 0 && offsetBytes <= SizeBytes - lengthBytes
        && offsetBytes / RequestMax == (offsetBytes + lengthBytes - 1) / RequestMax;

    private BlockRange Covering(long offsetBytes, int lengthBytes, out int headBytes, out int tailBytes)
    {
        headBytes = (int)(offsetBytes % BlockBytes);
        var first = offsetBytes / BlockBytes;
        var end = offsetBytes + lengthBytes;
        var last = (end - 1) / BlockBytes;
        tailBytes = (int)(((last + 1) * BlockBytes) - end);
        return BlockRange.FromTo(first, last + 1);
    }

    /// <summary>Answers everything that waits with an error: the session is over.</summary>
    private void FailEverything()
    {
        foreach (var waiter in TakeClosedWaiters())
        {
            waiter();
        }

        for (var s = _buffer.First; s < _buffer.Next; s++)
        {
            var op = _buffer.Find(s)!;
            if (!op.Acknowledged)
            {
                op.Acknowledged = true;
                var done = op.Done!;
                op.Done = null;
                _lock.Release(op);
                done.Completed(VolumeError.Shutdown, null);
            }
        }

        // Each release may grant another one, which lands here.
        while (_ready.TryDequeue(out var op))
        {
            EndUntagged(op, VolumeError.Shutdown);
        }

        FailReads();
        FailFlushes();
    }

    private Action[] TakeClosedWaiters()
    {
        var waiters = _closedWaiters.ToArray();
        _closedWaiters.Clear();
        return waiters;
    }
}
