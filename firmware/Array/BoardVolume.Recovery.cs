using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <summary>A board's part in the end of a reconciliation: write back, sync, D, R (rules R5 and R7).</summary>
internal sealed partial class BoardVolume
{
    private (uint Session, uint Attempt, ulong BootId) _writtenBack;
    private (uint Session, uint Attempt, ulong BootId) _synced;

    /// <summary>Reads and writes back what this board is unsure of (rule R5): from then on what is hashed and copied is what a sync makes durable.</summary>
    /// <remarks>
    /// Before anything is hashed: a page that a failed sync left clean may be dropped by the system at any moment, and the medium holds
    /// an older version than the hash told of. What has been written back is dirty, and its loss makes the SYNC fail.
    /// </remarks>
    public async Task WriteBackAsync(BoardConnection from, FrameHeader header)
    {
        if (!IsAttached(from, header) || !IsReadable(from, header) || !IsAttemptCurrent(from, header))
        {
            return;
        }

        var epoch = _epoch;
        while (_copiesInProgress > 0)
        {
            await _board.Signal.ChangedAsync();
        }

        if (await RewriteUnsureAsync(from, header, epoch) is { } unreadable)
        {
            _writtenBack = (header.Session, (uint)header.Token, _board.BootId);
            AnswerUnreadable(from, header, unreadable);
        }
    }

    /// <summary>Makes durable what the copies wrote and what was written back (rule R5). D does not move.</summary>
    public async Task SyncAsync(BoardConnection from, FrameHeader header)
    {
        if (!IsAttached(from, header) || !IsReadable(from, header) || !IsAttemptCurrent(from, header))
        {
            return;
        }

        if (_writtenBack != (header.Session, (uint)header.Token, _board.BootId))
        {
            from.ReplyFault(header, WireStatus.NotNow, "This boot of the board has not answered the WRITE_BACK of this attempt.");
            return;
        }

        var epoch = _epoch;
        while (_copiesInProgress > 0)
        {
            await _board.Signal.ChangedAsync();
        }

        var synced = new LoopCompletion<IoStatus>(_board.Loop);
        _sync.Request(synced.Complete);
        var status = await synced.Task;
        if (epoch != _epoch)
        {
            return;
        }

        if (!status.IsOk)
        {
            from.ReplyFault(header, WireStatus.DiskFault, status.Fault!);
            return;
        }

        if (IsAttached(from, header) && IsAttemptCurrent(from, header))
        {
            _synced = _writtenBack;
            var answer = default(FrameHeader);
            from.Reply(header, WireStatus.Ok, ref answer);
        }
    }

    /// <summary>R7, first step: D = the session's start.</summary>
    /// <param name="from">The coordinator.</param>
    /// <param name="header">The command.</param>
    /// <param name="bad">What no member could read: it is marked before D moves, for then its entries count as sure, and the members may differ there (R2).</param>
    public async Task SettleAsync(BoardConnection from, FrameHeader header, IReadOnlyList<BlockRange> bad)
    {
        if (!IsSynced(from, header) || (bad.Count > 0 && !await MarkBadAsync(from, header, bad)))
        {
            return;
        }

        var start = Tag.Of(header.Session, 0);
        if (start > Nvm.Durable)
        {
            Store.SetDurable(Nvm.Slot, start);
        }

        await AnswerWhenStoredAsync(from, header);
    }

    /// <summary>R7, second step: R = the session's start, the older entries and the marks go.</summary>
    /// <param name="from">The coordinator.</param>
    /// <param name="header">The command.</param>
    /// <param name="bad">What no member could read, as SETTLE told: it stays marked.</param>
    public async Task FinishAsync(BoardConnection from, FrameHeader header, IReadOnlyList<BlockRange> bad)
    {
        if (!IsSynced(from, header))
        {
            return;
        }

        var start = Tag.Of(header.Session, 0);
        if (Nvm.Durable < start)
        {
            from.ReplyFault(header, WireStatus.NotNow, "R moves only after D has been stored.");
            return;
        }

        Store.SetRetired(Nvm.Slot, start);
        // The marks of this session are those of its copies, which are durable now.
        Store.ClearMarks(Nvm.Slot, header.Session + 1);
        _copied.Clear();
        _marksFound.Clear();
        _marksFound.AddRange(bad);
        await AnswerWhenStoredAsync(from, header);
    }

    /// <summary>Marks what no member could read, before the entries that tell of it go. The marks count as the next session's: its R7 clears them.</summary>
    private async Task<bool> MarkBadAsync(BoardConnection from, FrameHeader header, IReadOnlyList<BlockRange> bad)
    {
        var epoch = _epoch;
        foreach (var range in bad)
        {
            Store.AddMark(Nvm.Slot, new RepairMark(range, header.Session + 1, 0));
        }

        NoteNvmWrite();
        var status = await CommitAsync();
        if (!status.IsOk)
        {
            from.ReplyFault(header, WireStatus.NvmFault, status.Fault!);
            NvmFailed(status);
            return false;
        }

        // Their entries go, and count as sure meanwhile: from now on the marks alone say what is to be written back.
        _marksFound.AddRange(bad);
        return epoch == _epoch && IsSynced(from, header);
    }

    /// <summary>Writes back all that is unsure; null where that was refused or has no more use.</summary>
    private async Task<List<BlockRange>?> RewriteUnsureAsync(BoardConnection from, FrameHeader header, int epoch)
    {
        var unreadable = new List<BlockRange>();
        foreach (var range in UnsureRanges(header.Session))
        {
            // Whoever asked may be gone, and another attempt further: then nothing is written for this one any more.
            if (epoch != _epoch || !IsAttached(from, header) || !IsAttemptCurrent(from, header))
            {
                return null;
            }

            var rewritten = await RewriteAsync(range, unreadable);
            if (!rewritten.IsOk)
            {
                // What is not written back may be a page that a sync takes for clean: a sync would prove nothing.
                from.ReplyFault(header, WireStatus.DiskFault, $"{range} could not be written back: {rewritten.Fault}");
                return null;
            }
        }

        return epoch == _epoch && IsAttached(from, header) && IsAttemptCurrent(from, header) ? unreadable : null;
    }

    private void AnswerUnreadable(BoardConnection from, in FrameHeader header, List<BlockRange> unreadable)
    {
        if (unreadable.Count > RangeList.RangesMax)
        {
            from.ReplyFault(header, WireStatus.DiskFault, $"{unreadable.Count} ranges of the disk {Disk.Device.Name} cannot be read.");
            return;
        }

        var answer = default(FrameHeader);
        var body = new WireWriter();
        RangeList.Write(body, unreadable);
        from.Reply(header, WireStatus.Ok, ref answer, body);
    }

    private async Task AnswerWhenStoredAsync(BoardConnection from, FrameHeader header)
    {
        var epoch = _epoch;
        NoteNvmWrite();
        var status = await CommitAsync();
        if (!status.IsOk)
        {
            from.ReplyFault(header, WireStatus.NvmFault, status.Fault!);
            NvmFailed(status);
            return;
        }

        if (epoch == _epoch)
        {
            var answer = new FrameHeader { Watermark = Nvm.Retired.Value, Tag = Nvm.Durable.Value };
            from.Reply(header, WireStatus.Ok, ref answer);
        }
    }

    private bool IsSynced(BoardConnection from, in FrameHeader header)
    {
        if (!IsAttached(from, header) || !IsAttemptCurrent(from, header))
        {
            return false;
        }

        if (_synced != (header.Session, (uint)header.Token, _board.BootId))
        {
            from.ReplyFault(header, WireStatus.NotNow, "This boot of the board has not answered the SYNC of this attempt.");
            return false;
        }

        return true;
    }

    private bool IsAttemptCurrent(BoardConnection from, in FrameHeader header)
    {
        if (header.Token < _attempt)
        {
            from.ReplyFault(header, WireStatus.StaleAttempt, $"The command belongs to attempt {header.Token}; {_attempt} is known.");
            return false;
        }

        _attempt = (uint)header.Token;
        return true;
    }

    /// <summary>What a sync alone proves nothing about: pages that an earlier, failed one may have marked clean.</summary>
    private List<BlockRange> UnsureRanges(uint session)
    {
        var set = new RangeSet();
        for (var i = 0; i < Nvm.Table.Count; i++)
        {
            var entry = Nvm.Table[i];
            if (entry.Tag.Session < session && !entry.Sure && entry.Tag > Nvm.Durable)
            {
                set.Add(entry.Range);
            }
        }

        // What this life copied is known exactly; marks may be wider, merged for want of room.
        foreach (var range in _copied)
        {
            set.Add(range);
        }

        foreach (var range in _marksFound)
        {
            set.Add(range);
        }

        var parts = new List<BlockRange>();
        var countMax = ReadBytesMax / _blockBytes;
        foreach (var range in set)
        {
            for (var at = range.Start; at < range.End;)
            {
                // Holes by themselves: one that reads as zeroes is not filled.
                var hole = Disk.Device.KnownZeroBytes(OffsetOf(at), (range.End - at) * _blockBytes) / _blockBytes;
                var part = BlockRange.FromTo(at, Math.Min(at + countMax, hole > 0 ? at + hole : range.End));
                parts.Add(part);
                at = part.End;
            }
        }

        return parts;
    }

    private async Task<IoStatus> RewriteAsync(BlockRange range, List<BlockRange> unreadable)
    {
        var held = await HeldRange.AcquireAsync(_board.Loop, _order, range, exclusive: true);

        var slice = _board.Pool.Rent(range.Count * _blockBytes);
        var read = new AsyncCompletion(_board.Loop);
        Disk.Device.Read(OffsetOf(range.Start), slice, read);
        var status = IoStatus.Ok;
        var readStatus = await read.Task;
        _board.NoteRead(readStatus.IsOk);
        if (readStatus.IsOk)
        {
            // A page that could not be written back may read otherwise than the hole that it lies over, as XFS leaves it.
            var isHole = Disk.Device.KnownZeroBytes(OffsetOf(range.Start), slice.Length) >= slice.Length && !slice.Span.ContainsAnyExcept((byte)0);
            var payload = Payload.Take(slice);
            if (!isHole)
            {
                var written = new AsyncCompletion(_board.Loop);
                Disk.Device.Write(OffsetOf(range.Start), payload, written);
                status = await written.Task;
                _board.NoteWrite(status.IsOk);
            }

            payload.Release();
        }
        else
        {
            slice.Release();
            if (range.Count > 1)
            {
                // One bad block must not keep the others from being written back.
                _order.Release(held);
                for (var block = range.Start; block < range.End && status.IsOk; block++)
                {
                    status = await RewriteAsync(new BlockRange(block, 1), unreadable);
                }

                return status;
            }

            // Not written back, so doubtful still: the coordinator judges whether its plan knew that.
            if (unreadable.Count > 0 && unreadable[^1].End == range.Start)
            {
                unreadable[^1] = BlockRange.FromTo(unreadable[^1].Start, range.End);
            }
            else
            {
                unreadable.Add(range);
            }
        }

        _order.Release(held);
        return status;
    }

    private async Task<IoStatus> CommitAsync()
    {
        var stored = new AsyncCompletion(_board.Loop);
        Store.Commit(stored);
        return await stored.Task;
    }
}
