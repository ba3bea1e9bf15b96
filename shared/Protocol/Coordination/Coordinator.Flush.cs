using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Coordination;

/// <summary>Durability and retirement: FLUSH(L), D, the watermark and the background flush (rules D1 to D6).</summary>
public sealed partial class Coordinator
{
    private readonly Queue<(ulong Target, IVolumeCompletion Done)> _flushes = new();
    private ulong _flushTarget;
    private long _unflushedBytes;
    private int _unflushedCount;
    private ILoopTimer? _flushTimer;
    private ILoopTimer? _retireTimer;
    private long _oldestUnflushedMicros;

    /// <summary>Gets the retirement watermark: the lowest D of all in-sync members (rule D4); the session's start before R7 and none before a session.</summary>
    public Tag Watermark { get; private set; }

    /// <inheritdoc/>
    public void Flush(IVolumeCompletion done)
    {
        if (IsOver)
        {
            Answer(done, VolumeError.Shutdown);
            return;
        }

        // D3: what was acknowledged before this flush, in this session.
        if (_settled && _acknowledgedHigh <= WatermarkSequence)
        {
            Answer(done, VolumeError.None);
            return;
        }

        _flushes.Enqueue((_acknowledgedHigh, done));
        RequestFlush();
    }

    private ulong WatermarkSequence => Watermark.Session == _session.Number ? Watermark.Sequence : 0;

    /// <summary>Wants every acknowledged write durable.</summary>
    private void RequestFlush()
    {
        if (_acknowledgedHigh > _flushTarget)
        {
            _flushTarget = _acknowledgedHigh;
        }

        _unflushedBytes = 0;
        _unflushedCount = 0;
        foreach (var member in _members)
        {
            PumpFlush(member);
        }
    }

    private void CountForBackgroundFlush(WriteOp op)
    {
        _unflushedBytes += op.Payload.Length;
        _unflushedCount++;
        if (_flushTimer is null)
        {
            _oldestUnflushedMicros = _loop.NowMicros;
            _flushTimer = _loop.StartTimer(_options.BackgroundFlushMs, () =>
            {
                _flushTimer = null;
                RequestFlush();
            });
        }

        if (_unflushedBytes >= _options.BackgroundFlushBytes || _unflushedCount >= QuarterOfTable())
        {
            RequestFlush();
        }
    }

    private int QuarterOfTable()
    {
        var least = int.MaxValue;
        foreach (var member in _members)
        {
            least = Math.Min(least, member.Capacity);
        }

        return Math.Max(1, least / 4);
    }

    /// <summary>Sends FLUSH(L) where it is due: one at a time to a member, L its low watermark (rule D1).</summary>
    private void PumpFlush(Member member)
    {
        // R5, R7: before the session is settled no FLUSH is sent. B4: nor while a replay runs.
        if (!_settled || !member.Attached || !member.Readable || member.FlushInFlight)
        {
            return;
        }

        var durable = member.DurableSequence(_session.Number);
        if (durable >= _flushTarget || member.LowSequence <= durable)
        {
            return;
        }

        // A flush that would not reach what the first waiting application needs waits for the missing replies.
        var needed = _flushes.TryPeek(out var first) ? first.Target : _flushTarget;
        if (durable < needed && member.LowSequence < needed)
        {
            return;
        }

        member.FlushInFlight = true;
        member.FlushSentMicros = _loop.NowMicros;
        var header = NewFrame(member, Command.Flush);
        header.RequestId = member.LowSequence;
        header.Tag = Tag.Of(_session.Number, member.LowSequence).Value;
        header.Watermark = Watermark.Value;
        member.Link.Connection.SendFrame(ref header);
    }

    private void FlushReplied(Member member, in FrameHeader header, Payload? payload)
    {
        if (!member.Attached || header.BootId != member.BootId || header.Session != _session.Number)
        {
            return;
        }

        member.FlushInFlight = false;
        if (!NoteRetired(member, header))
        {
            return;
        }

        switch (header.Status)
        {
            case WireStatus.Ok when new Tag(header.Tag) > Tag.Of(_session.Number, member.LowSequence):
                Distrust(member, $"it claims that {new Tag(header.Tag)} is durable, L was {Tag.Of(_session.Number, member.LowSequence)}");
                break;
            case WireStatus.Ok:
                NoteSlowFlush(member);
                NoteDurable(member, new Tag(header.Tag));
                PumpFlush(member);
                break;
            case WireStatus.Fenced:
                Fence($"Board {member.Board.Name} has a younger session {header.Watermark} of volume {Name}; session {_session.Number} is fenced.");
                break;
            default:
                // D1: the board counts as restarted after a failed sync and closes the connection itself.
                member.Fault = WireReader.From(payload).Text();
                member.AwaySinceMicros ??= _loop.NowMicros;
                _log.Warning($"Board {member.Board.Name} could not flush: {member.Fault}");
                member.Link.Reset("its flush failed");
                break;
        }
    }

    private void NoteDurable(Member member, Tag durable)
    {
        if (durable <= member.Durable)
        {
            return;
        }

        Invariant.Check(durable.Session != _session.Number || durable.Sequence <= member.LowSequence, "D1: D never passes L");
        member.Durable = durable;
        MoveWatermark();
    }

    /// <summary>Rule D4: what is durable on all in-sync members leaves the replay buffer.</summary>
    private void MoveWatermark()
    {
        var low = _members[0].Durable;
        foreach (var member in _members)
        {
            low = Tag.Min(low, member.Durable);
        }

        if (low <= Watermark)
        {
            return;
        }

        Watermark = low;
        if (low.Session == _session.Number)
        {
            while (_buffer.Count > 0 && _buffer.First <= low.Sequence)
            {
                var op = _buffer.RemoveFirst();
                Invariant.Check(op.Acknowledged, "W6, D4: what is durable everywhere was replied to by everyone");
                foreach (var member in _members)
                {
                    if (op.Tokens[member.Index] != 0)
                    {
                        member.RetiredToken = op.Tokens[member.Index];
                    }
                }

                op.Payload.Release();
                _freeWrites.Push(op);
            }
        }

        CompleteFlushes();
        if (_ready.Count > 0)
        {
            PumpWrites();
        }

        _retireTimer ??= _loop.StartTimer(_options.RetireIdleMs, () =>
        {
            _retireTimer = null;
            SendRetirement();
        });
        _signal.Pulse();
    }

    private void CompleteFlushes()
    {
        while (_flushes.TryPeek(out var flush) && flush.Target <= WatermarkSequence)
        {
            _flushes.Dequeue();
            flush.Done.Completed(VolumeError.None, null);
        }
    }

    /// <summary>Sends the watermark where no write has carried it (rule D4).</summary>
    private void SendRetirement()
    {
        foreach (var member in _members)
        {
            if (_settled && member.Attached && member.Readable && member.Retired < Watermark && member.WatermarkSent < Watermark)
            {
                member.WatermarkSent = Watermark;
                var header = NewFrame(member, Command.Retire);
                header.Watermark = Watermark.Value;
                header.Token = member.RetiredToken;
                member.Link.Connection.SendFrame(ref header);
            }
        }
    }

    /// <summary>A table or the buffer is full: flush and retire now.</summary>
    private void MakeRoom()
    {
        if (_flushTarget <= WatermarkSequence || _flushTarget < _acknowledgedHigh)
        {
            RequestFlush();
        }

        SendRetirement();
    }

    /// <summary>Takes the R that an answer carries: room in the member's table (rule D6).</summary>
    /// <returns>False when the board claims what cannot be; its connection is made anew.</returns>
    private bool NoteRetired(Member member, in FrameHeader header)
    {
        var retired = new Tag(header.Watermark);
        if (header.Status != WireStatus.Ok || retired <= member.Retired)
        {
            return true;
        }

        if (_settled && retired > Watermark)
        {
            Distrust(member, $"it claims that {retired} is retired, the watermark is {Watermark}");
            return false;
        }

        member.Retired = retired;
        if (_ready.Count > 0)
        {
            PumpWrites();
        }

        return true;
    }

    /// <summary>A board answers what no board of ours can: nothing of it is believed, and its connection is made anew.</summary>
    private void Distrust(Member member, string why)
    {
        _log.Warning($"Board {member.Board.Name}: {why}; the connection is closed and made anew.");
        member.Link.Reset(why);
    }

    private void NoteSlowFlush(Member member)
    {
        var tookMs = (_loop.NowMicros - member.FlushSentMicros) / 1000;
        if (tookMs * 2 > _options.GraceMs)
        {
            _log.Warning($"Board {member.Board.Name} took {tookMs} ms for a flush, more than half of the grace time.");
        }

        member.LastFlushMs = tookMs;
    }

    private bool IsAllRetired()
    {
        foreach (var member in _members)
        {
            if (member.Retired < HighestTag)
            {
                return false;
            }
        }

        return _flushes.Count == 0;
    }

    private void FailFlushes()
    {
        while (_flushes.TryDequeue(out var flush))
        {
            flush.Done.Completed(VolumeError.Shutdown, null);
        }
    }
}
