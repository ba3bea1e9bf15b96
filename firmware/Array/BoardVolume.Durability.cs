using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <summary>FLUSH, D, R and the tokens (rules D1, D4, D5).</summary>
internal sealed partial class BoardVolume
{
    private readonly List<(Tag Watermark, BoardConnection From, FrameHeader Header)> _retirements = [];
    private ILoopTimer? _retireTimer;
    private long _lastNvmWriteMicros;

    /// <summary>FLUSH(L): the disk durable, then D = L stored, then the reply (rule D1).</summary>
    public void Flush(BoardConnection from, in FrameHeader header)
    {
        // B4: D does not move during a replay: a skipped write counts only once the newer one is there.
        if (!IsAttached(from, header) || !IsReadable(from, header))
        {
            return;
        }

        var low = new Tag(header.Tag);
        if (low.Session != header.Session)
        {
            from.ReplyFault(header, WireStatus.Invalid, $"FLUSH names the tag {low} of another session.");
            return;
        }

        if (FirstInProgress(low) is { } open)
        {
            from.ReplyFault(header, WireStatus.Invalid, $"FLUSH names the tag {low}, but the write {open} has not reached the disk.");
            return;
        }

        if (!TakeWatermark(from, header))
        {
            return;
        }

        var request = header;
        var epoch = _epoch;
        _sync.Request(status =>
        {
            if (epoch != _epoch)
            {
                return;
            }

            if (!status.IsOk)
            {
                // The board counts as restarted (D1): the sync's queue sees to it.
                from.ReplyFault(request, WireStatus.DiskFault, status.Fault!);
                return;
            }

            if (low > Nvm.Durable)
            {
                Store.SetDurable(Nvm.Slot, low);
            }

            NoteNvmWrite();
            Store.Commit(new FlushStored(this, from, request, epoch));
        });
    }

    /// <summary>Finds a write at or below a tag whose data the disk has not taken yet: D1's L is below all of these.</summary>
    private Tag? FirstInProgress(Tag low)
    {
        for (var i = 0; _writesInProgress > 0 && i < Nvm.Table.Count && Nvm.Table[i].Tag <= low; i++)
        {
            if (Nvm.Table[i] is { InProgress: true, Sure: false })
            {
                return Nvm.Table[i].Tag;
            }
        }

        return null;
    }

    /// <summary>The watermark in a message of its own (rule D4); answered when R is stored.</summary>
    public void Retire(BoardConnection from, in FrameHeader header)
    {
        if (!IsAttached(from, header) || !TakeWatermark(from, header))
        {
            return;
        }

        var watermark = new Tag(header.Watermark);
        if (watermark <= Nvm.Retired)
        {
            var answer = new FrameHeader { Watermark = Nvm.Retired.Value };
            from.Reply(header, WireStatus.Ok, ref answer);
            return;
        }

        _retirements.Add((watermark, from, header));
        ScheduleRetirement();
    }

    /// <summary>R is stored, the entries at or below it are gone.</summary>
    public void RetiredStored(Tag retired)
    {
        for (var i = 0; i < _retirements.Count; i++)
        {
            var (watermark, from, header) = _retirements[i];
            if (watermark <= retired)
            {
                _retirements.RemoveAt(i--);
                var answer = new FrameHeader { Watermark = retired.Value };
                from.Reply(header, WireStatus.Ok, ref answer);
            }
        }

        _board.Signal.Pulse();
    }

    /// <summary>Judges and takes the watermark that a command carries. A refusal has been answered.</summary>
    /// <remarks>What retires is the watermark, a tag (D5); the token is checked and never obeyed: after a restart the same number names another entry.</remarks>
    private bool TakeWatermark(BoardConnection from, in FrameHeader header)
    {
        var watermark = new Tag(header.Watermark);
        if (watermark <= Nvm.Retired)
        {
            return true;
        }

        if (watermark > Nvm.Durable)
        {
            from.ReplyFault(header, WireStatus.Invalid, $"The watermark {watermark} is above D, {Nvm.Durable}.");
            return false;
        }

        if (header.Token != 0 && header.Token <= _lastToken && header.Token + TokensKept > _lastToken
            && _tagOfToken[header.Token % TokensKept] > watermark.Value)
        {
            from.ReplyFault(
                header,
                WireStatus.Invalid,
                $"The token {header.Token} belongs to the write {new Tag(_tagOfToken[header.Token % TokensKept])}, which is above the watermark {watermark}.");
            return false;
        }

        Store.SetRetired(Nvm.Slot, watermark);
        ScheduleRetirement();
        return true;
    }

    private void NoteNvmWrite() => _lastNvmWriteMicros = _board.Loop.NowMicros;

    /// <summary>A retirement rides on the next batch; it has a write of its own only when nothing was written for a while.</summary>
    private void ScheduleRetirement()
    {
        _retireTimer ??= _board.Loop.StartTimer(_board.Options.RetireIdleMs, () =>
        {
            _retireTimer = null;
            var idleMs = (_board.Loop.NowMicros - _lastNvmWriteMicros) / 1000;
            if (!Store.IsRetirementPending)
            {
                return;
            }

            if (idleMs + 1 >= _board.Options.RetireIdleMs || _retirements.Count > 0)
            {
                NoteNvmWrite();
                Store.CommitIfRetirementPending();
            }
            else
            {
                ScheduleRetirement();
            }
        });
    }

    private sealed class FlushStored(BoardVolume volume, BoardConnection from, FrameHeader request, int epoch) : ICompletion
    {
        public void Completed(IoStatus status)
        {
            if (!status.IsOk)
            {
                from.ReplyFault(request, WireStatus.NvmFault, status.Fault!);
                volume.NvmFailed(status);
                return;
            }

            if (epoch == volume._epoch)
            {
                var answer = new FrameHeader { Tag = volume.Nvm.Durable.Value, Watermark = volume.Nvm.Retired.Value };
                from.Reply(request, WireStatus.Ok, ref answer);
            }
        }
    }
}
