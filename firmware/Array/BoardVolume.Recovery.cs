using System.Security.Cryptography;
using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <summary>A board's part in a reconciliation: hashes, copies under repair marks, the sync, D and R (rules R3 to R7).</summary>
internal sealed partial class BoardVolume
{
    private const int HashBytesMax = 1024 * 1024;
    private const int HashSize = 16;

    private int _copiesInProgress;
    private readonly RangeSet _copied = new();
    private (uint Session, uint Attempt, ulong BootId) _synced;

    /// <summary>Hashes a range: SHA-256 cut to 128 bits, over the whole or block by block (tag 1); the token tells how many blocks from its start are a hole.</summary>
    public async Task HashAsync(BoardConnection from, FrameHeader header)
    {
        if (!IsAttached(from, header) || !IsReadable(from, header) || !IsAttemptCurrent(from, header))
        {
            return;
        }

        if (!IsRangeValid(header, HashBytesMax))
        {
            from.ReplyFault(header, WireStatus.Invalid, $"A hash of {RangeOf(header)} is not one of this volume.");
            return;
        }

        var perBlock = header.Tag == 1;
        var hole = Disk.Device.KnownZeroBytes(OffsetOf(header.Address), (_blocks - header.Address) * _blockBytes) / _blockBytes;
        var writer = new WireWriter();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var end = header.Address + header.Count;
        for (var at = header.Address; at < end;)
        {
            var part = new BlockRange(at, (int)Math.Min(ReadBytesMax / _blockBytes, end - at));
            var (data, status) = await ReadRangeAsync(part);
            if (!status.IsOk)
            {
                from.ReplyFault(header, WireStatus.DiskFault, status.Fault!);
                return;
            }

            if (perBlock)
            {
                for (var i = 0; i < part.Count; i++)
                {
                    writer.Bytes(SHA256.HashData(data.Span.Slice(i * _blockBytes, _blockBytes)).AsSpan(0, HashSize));
                }
            }
            else
            {
                hash.AppendData(data.Span);
            }

            data.Release();
            at = part.End;
        }

        if (!perBlock)
        {
            writer.Bytes(hash.GetHashAndReset().AsSpan(0, HashSize));
        }

        var answer = new FrameHeader { Token = (ulong)hole };
        from.Reply(header, WireStatus.Ok, ref answer, writer);
    }

    /// <summary>Pulls blocks from another board: its data first, then a repair mark in NVM where the blocks are not inexact already, then the first byte (rule R4).</summary>
    public async Task CopyAsync(BoardConnection from, FrameHeader header, NodeAddress source)
    {
        if (!IsAttached(from, header) || !IsReadable(from, header) || !IsAttemptCurrent(from, header))
        {
            return;
        }

        if (!IsRangeValid(header, ReadBytesMax))
        {
            from.ReplyFault(header, WireStatus.Invalid, $"A copy of {RangeOf(header)} is not one of this volume.");
            return;
        }

        var range = RangeOf(header);
        var epoch = _epoch;
        var (data, fault) = await _board.Peers.ReadAsync(source, header, Record, range.Count * _blockBytes);
        if (data is null)
        {
            from.ReplyFault(header, WireStatus.NotNow, fault);
            return;
        }

        // The world may have changed while the data was on its way (R3): nothing late is written.
        if (epoch != _epoch || !IsAttached(from, header) || !IsAttemptCurrent(from, header))
        {
            data.Release();
            return;
        }

        _copiesInProgress++;
        var held = new HeldRange(_board.Loop, range);
        if (!_order.Acquire(held, exclusive: true))
        {
            await held.GrantedAsync;
        }

        var status = IoStatus.Ok;
        if (!IsInexact(range, header.Session))
        {
            Store.AddMark(Nvm.Slot, new RepairMark(range, header.Session, (uint)header.Token));
            NoteNvmWrite();
            status = await CommitAsync();
        }

        var wire = WireStatus.NvmFault;
        if (status.IsOk)
        {
            wire = WireStatus.DiskFault;
            var written = new AsyncCompletion(_board.Loop);
            Disk.Device.Write(OffsetOf(range.Start), data, written);
            _copied.Add(range);
            status = await written.Task;
        }
        else
        {
            NvmFailed(status);
        }

        data.Release();
        _order.Release(held);
        _copiesInProgress--;
        _board.Signal.Pulse();
        if (status.IsOk)
        {
            var answer = default(FrameHeader);
            from.Reply(header, WireStatus.Ok, ref answer);
        }
        else
        {
            from.ReplyFault(header, wire, status.Fault!);
        }
    }

    /// <summary>Answers another board's read for a copy; the command names this board's boot (rule B4).</summary>
    public async Task AnswerCopyReadAsync(BoardConnection from, FrameHeader header)
    {
        if (!IsCurrent(from, header) || !IsReadable(from, header))
        {
            return;
        }

        if (header.Token < _attempt || !IsRangeValid(header, ReadBytesMax))
        {
            from.ReplyFault(header, WireStatus.StaleAttempt, "The copy belongs to an older attempt.");
            return;
        }

        var (data, status) = await ReadRangeAsync(RangeOf(header));
        if (!status.IsOk)
        {
            from.ReplyFault(header, WireStatus.DiskFault, status.Fault!);
            return;
        }

        var payload = Payload.Take(data);
        var answer = default(FrameHeader);
        from.Reply(header, WireStatus.Ok, ref answer, payload);
        payload.Release();
    }

    /// <summary>Makes durable what the copies wrote; before, what this board is unsure of is read and written back (rule R5). D does not move.</summary>
    public async Task SyncAsync(BoardConnection from, FrameHeader header)
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

        foreach (var range in UnsureRanges(header.Session))
        {
            var rewritten = await RewriteAsync(range);
            if (!rewritten.IsOk)
            {
                // What is not written back may be a page that a sync takes for clean: a sync would prove nothing.
                from.ReplyFault(header, WireStatus.DiskFault, $"{range} could not be written back: {rewritten.Fault}");
                return;
            }
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
            _synced = (header.Session, (uint)header.Token, _board.BootId);
            var answer = default(FrameHeader);
            from.Reply(header, WireStatus.Ok, ref answer);
        }
    }

    /// <summary>R7, first step: D = the session's start.</summary>
    public async Task SettleAsync(BoardConnection from, FrameHeader header)
    {
        if (!IsSynced(from, header))
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
    public async Task FinishAsync(BoardConnection from, FrameHeader header)
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
        await AnswerWhenStoredAsync(from, header);
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

    /// <summary>
    /// Tells whether a copy needs no mark: where the newest entry of every block is unsure, this member counts as inexact
    /// already (R2) and stays so until R7 drops the entry. So the marks of a recovery are as few as the writes that only one board got.
    /// </summary>
    private bool IsInexact(BlockRange range, uint session)
    {
        for (var block = range.Start; block < range.End; block++)
        {
            TagEntry? newest = null;
            foreach (var entry in Nvm.Table.Overlapping(new BlockRange(block, 1)))
            {
                newest = newest is null || entry.Tag > newest.Tag ? entry : newest;
            }

            if (newest is null || newest.Sure || newest.Tag <= Nvm.Durable || newest.Tag.Session >= session)
            {
                return false;
            }
        }

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
                // A hole has no page that could be lost.
                var hole = Disk.Device.KnownZeroBytes(OffsetOf(at), (range.End - at) * _blockBytes) / _blockBytes;
                if (hole > 0)
                {
                    at += hole;
                    continue;
                }

                var part = BlockRange.FromTo(at, Math.Min(at + countMax, range.End));
                parts.Add(part);
                at = part.End;
            }
        }

        return parts;
    }

    private async Task<IoStatus> RewriteAsync(BlockRange range)
    {
        var held = new HeldRange(_board.Loop, range);
        if (!_order.Acquire(held, exclusive: true))
        {
            await held.GrantedAsync;
        }

        var slice = _board.Pool.Rent(range.Count * _blockBytes);
        var read = new AsyncCompletion(_board.Loop);
        Disk.Device.Read(OffsetOf(range.Start), slice, read);
        var status = IoStatus.Ok;
        if ((await read.Task).IsOk)
        {
            var payload = Payload.Take(slice);
            var written = new AsyncCompletion(_board.Loop);
            Disk.Device.Write(OffsetOf(range.Start), payload, written);
            status = await written.Task;
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
                    status = await RewriteAsync(new BlockRange(block, 1));
                }

                return status;
            }

            // Unreadable here: a copy has replaced it, or it is bad on every member.
        }

        _order.Release(held);
        return status;
    }

    private async Task<(Slice Data, IoStatus Status)> ReadRangeAsync(BlockRange range)
    {
        var held = new HeldRange(_board.Loop, range);
        if (!_order.Acquire(held, exclusive: false))
        {
            await held.GrantedAsync;
        }

        var slice = _board.Pool.Rent(range.Count * _blockBytes);
        var read = new AsyncCompletion(_board.Loop);
        Disk.Device.Read(OffsetOf(range.Start), slice, read);
        var status = await read.Task;
        _order.Release(held);
        if (!status.IsOk)
        {
            slice.Release();
        }

        return (slice, status);
    }

    private async Task<IoStatus> CommitAsync()
    {
        var stored = new AsyncCompletion(_board.Loop);
        Store.Commit(stored);
        return await stored.Task;
    }

    /// <summary>A range held by a procedure.</summary>
    private sealed class HeldRange : RangeLockRequest
    {
        private readonly LoopCompletion<bool> _granted;

        public HeldRange(ILoop loop, BlockRange range)
        {
            _granted = new LoopCompletion<bool>(loop);
            Range = range;
        }

        public Task GrantedAsync => _granted.Task;

        protected override void Granted() => _granted.Complete(true);
    }
}
