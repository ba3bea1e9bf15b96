using System.Security.Cryptography;
using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <summary>A board's part in copies: hashes, the source's reads, the target's writes under repair marks (rules R3, R4).</summary>
internal sealed partial class BoardVolume
{
    private const int HashBytesMax = 1024 * 1024;
    private const int HashSize = 16;

    private readonly RangeSet _copied = new();
    private int _copiesInProgress;

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
        var held = await HeldRange.AcquireAsync(_board.Loop, _order, range, exclusive: true);

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
            _board.NoteWrite(status.IsOk);
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

    private async Task<(Slice Data, IoStatus Status)> ReadRangeAsync(BlockRange range)
    {
        var held = await HeldRange.AcquireAsync(_board.Loop, _order, range, exclusive: false);

        var slice = _board.Pool.Rent(range.Count * _blockBytes);
        var read = new AsyncCompletion(_board.Loop);
        Disk.Device.Read(OffsetOf(range.Start), slice, read);
        var status = await read.Task;
        _order.Release(held);
        _board.NoteRead(status.IsOk);
        if (!status.IsOk)
        {
            slice.Release();
        }

        return (slice, status);
    }
}
