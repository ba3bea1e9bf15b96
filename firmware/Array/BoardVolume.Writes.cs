using MirrorController.Protocol;
using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <summary>The write path: entry, NVM, order, disk, reply (rules W3, W4, W5, B3).</summary>
internal sealed partial class BoardVolume
{
    private const int WriteBytesMax = 256 * 1024;
    private const int TokensKept = 8192;

    private readonly Stack<BoardWrite> _freeWrites = new();
    private readonly Stack<EntryBatch> _freeBatches = new();
    private readonly ulong[] _tagOfToken = new ulong[TokensKept];
    private EntryBatch? _openBatch;
    private Action? _commit;
    private ulong _lastToken;
    private int _writesInProgress;

    /// <summary>A tagged write has arrived whole, its CRCs right: from here on it is accepted (rule B1).</summary>
    public void Write(BoardConnection from, in FrameHeader header, Payload? payload)
    {
        if (!IsAttached(from, header))
        {
            return;
        }

        var tag = new Tag(header.Tag);
        if (!IsRangeValid(header, WriteBytesMax) || payload is null || payload.Length != header.Count * _blockBytes || tag.Session != header.Session
            || tag.Sequence == 0)
        {
            from.ReplyFault(header, WireStatus.Invalid, $"The write {tag} of {RangeOf(header)} with {payload?.Length ?? 0} bytes is not one of this volume.");
            return;
        }

        if (!TakeWatermark(from, header))
        {
            return;
        }

        if (tag <= Nvm.Durable)
        {
            // Sure, for it is at or below D.
            ReplyToWrite(from, header, 0, IoStatus.Ok);
            return;
        }

        var existing = Nvm.Table.Find(tag);
        if (existing is not null)
        {
            WriteAgain(from, header, payload, existing);
            return;
        }

        if (!Nvm.HasRoom)
        {
            // D6: the coordinator counts the room; a board never holds a write for it.
            from.ReplyFault(header, WireStatus.NotNow, $"The tag table is full with {Nvm.Table.Count} entries.");
            return;
        }

        var entry = Nvm.Table.NewEntry();
        entry.Tag = tag;
        entry.Generator = header.Generator;
        entry.Range = RangeOf(header);
        entry.Token = ++_lastToken;
        entry.InProgress = true;
        _tagOfToken[_lastToken % TokensKept] = tag.Value;
        Store.AppendEntry(Nvm.Slot, entry);
        OpenBatch().Writes.Add(NewWrite(from, header, payload, entry));
    }

    /// <summary>A write that this board has an entry of: sent again after a lost link or a restart (rules B1, B3).</summary>
    private void WriteAgain(BoardConnection from, in FrameHeader header, Payload payload, TagEntry existing)
    {
        if (existing.Range != RangeOf(header) || existing.Generator != header.Generator)
        {
            from.ReplyFault(header, WireStatus.Invalid, $"The write {existing.Tag} of {RangeOf(header)} has the tag of a write of {existing.Range}.");
            return;
        }

        if (existing.InProgress)
        {
            from.ReplyFault(header, WireStatus.Invalid, $"The write {existing.Tag} is in progress already.");
            return;
        }

        if (existing.Token == 0)
        {
            // Loaded from NVM at the start: a token of this boot stands for it from now on.
            existing.Token = ++_lastToken;
            _tagOfToken[_lastToken % TokensKept] = existing.Tag.Value;
        }

        if (existing.Sure && (header.Flags & FrameFlags.Fua) == 0)
        {
            ReplyToWrite(from, header, existing.Token, IoStatus.Ok);
            return;
        }

        var again = NewWrite(from, header, payload, existing);
        existing.InProgress = true;
        if (existing.Sure)
        {
            // W5: a sync that starts now, for the disk has the data.
            again.SyncThenReply();
        }
        else
        {
            EntryStored(again);
        }
    }

    /// <summary>W4: the entry is in NVM. Now the write takes its place in the order of the disk.</summary>
    private void EntryStored(BoardWrite write)
    {
        Invariant.Check(write.Entry.Stored, "W4: no byte goes to the disk before the entry is in NVM");
        if (_order.Acquire(write, exclusive: true))
        {
            write.Begin();
        }
    }

    private void BatchStored(EntryBatch batch, IoStatus status)
    {
        foreach (var write in batch.Writes)
        {
            if (status.IsOk)
            {
                EntryStored(write);
            }
            else
            {
                EndWrite(write, status, WireStatus.NvmFault, hasLock: false);
            }
        }

        batch.Writes.Clear();
        _freeBatches.Push(batch);
        if (!status.IsOk)
        {
            NvmFailed(status);
        }
    }

    /// <summary>Ends a write: the entry is sure if the disk took the data since the board last started, and the coordinator gets its reply.</summary>
    private void EndWrite(BoardWrite write, IoStatus status, WireStatus fault, bool hasLock)
    {
        var entry = write.Entry;
        entry.InProgress = false;
        if (status.IsOk && write.Epoch == _epoch)
        {
            entry.Sure = true;
        }

        if (hasLock)
        {
            _order.Release(write);
        }

        if (write.Epoch == _epoch)
        {
            ReplyToWrite(write.From, write.Header, entry.Token, status, fault);
        }

        write.Payload.Release();
        write.Forget();
        _freeWrites.Push(write);
        if (--_writesInProgress == 0)
        {
            _board.Signal.Pulse();
        }
    }

    private void ReplyToWrite(BoardConnection from, in FrameHeader header, ulong token, IoStatus status, WireStatus fault = WireStatus.DiskFault)
    {
        var answer = new FrameHeader { Tag = header.Tag, Token = token, Watermark = Nvm.Retired.Value };
        if (status.IsOk)
        {
            from.Reply(header, WireStatus.Ok, ref answer);
        }
        else
        {
            from.Reply(header, fault, ref answer, new WireWriter().Text(status.Fault!));
        }
    }

    private BoardWrite NewWrite(BoardConnection from, in FrameHeader header, Payload payload, TagEntry entry)
    {
        if (!_freeWrites.TryPop(out var write))
        {
            write = new BoardWrite(this);
        }

        payload.AddReference();
        write.Set(from, header, payload, entry, _epoch);
        _writesInProgress++;
        return write;
    }

    /// <summary>All writes that arrive in one turn of the loop share one NVM transaction (rule W4).</summary>
    private EntryBatch OpenBatch()
    {
        if (_openBatch is null)
        {
            _openBatch = _freeBatches.TryPop(out var spare) ? spare : new EntryBatch(this);
            _commit ??= () =>
            {
                var batch = _openBatch!;
                _openBatch = null;
                NoteNvmWrite();
                Store.Commit(batch);
            };
            _board.Loop.Post(_commit);
        }

        return _openBatch;
    }

    /// <summary>The writes whose entries are stored by one commit.</summary>
    private sealed class EntryBatch(BoardVolume volume) : ICompletion
    {
        public List<BoardWrite> Writes { get; } = new(64);

        public void Completed(IoStatus status) => volume.BatchStored(this, status);
    }

    /// <summary>One write on its way to the disk.</summary>
    private sealed class BoardWrite(BoardVolume volume) : RangeLockRequest, ICompletion
    {
        private readonly List<BlockRange> _uncovered = [];
        private FrameHeader _header;
        private int _pending;
        private bool _mustSync;
        private bool _isForDisk;
        private string? _fault;

        public BoardConnection From { get; private set; } = null!;

        public ref readonly FrameHeader Header => ref _header;

        public Payload Payload { get; private set; } = null!;

        public TagEntry Entry { get; private set; } = null!;

        /// <summary>Gets in which boot, or time between restarts, the write was accepted.</summary>
        public int Epoch { get; private set; }

        public void Set(BoardConnection from, in FrameHeader header, Payload payload, TagEntry entry, int epoch)
        {
            From = from;
            _header = header;
            Payload = payload;
            Entry = entry;
            Epoch = epoch;
            Range = entry.Range;
            _fault = null;
        }

        public void Forget()
        {
            From = null!;
            Payload = null!;
            Entry = null!;
        }

        /// <summary>The range is this write's: hands to the disk what no newer entry covers (rule B3).</summary>
        public void Begin()
        {
            var isFua = (_header.Flags & FrameFlags.Fua) != 0;
            var disk = volume.Disk.Device;
            if (!volume.Nvm.Table.FindUncovered(Range, Entry.Tag, _uncovered))
            {
                _mustSync = false;
                _isForDisk = true;
                _pending = 1;
                if (isFua)
                {
                    disk.WriteSync(volume.OffsetOf(Range.Start), Payload, this);
                }
                else
                {
                    disk.Write(volume.OffsetOf(Range.Start), Payload, this);
                }

                return;
            }

            // Skipped blocks are stable only after a sync that starts when the rest is with the disk.
            _mustSync = isFua;
            // One that is skipped whole says nothing of the disk.
            _isForDisk = _uncovered.Count > 0;
            _pending = _uncovered.Count + 1;
            foreach (var part in _uncovered)
            {
                var offset = (int)(part.Start - Range.Start) * volume._blockBytes;
                var data = Payload.Part(offset, part.Count * volume._blockBytes);
                disk.Write(volume.OffsetOf(part.Start), data, new PartDone(this, data));
            }

            volume._board.Loop.Post(() => PartEnded(IoStatus.Ok));
        }

        /// <summary>The disk has the data already; a sync that starts now makes it durable.</summary>
        public void SyncThenReply() => volume._sync.Request(Synced);

        public void Completed(IoStatus status) => PartEnded(status);

        protected override void Granted() => Begin();

        private void PartEnded(IoStatus status)
        {
            _fault ??= status.Fault;
            if (--_pending > 0)
            {
                return;
            }

            if (_isForDisk)
            {
                volume._board.NoteWrite(_fault is null);
            }

            if (_fault is not null && (_header.Flags & FrameFlags.Fua) != 0 && !_mustSync)
            {
                // D1: after a failed synchronous write the same as after a failed sync.
                volume.EndWrite(this, new IoStatus(_fault), WireStatus.DiskFault, hasLock: true);
                volume._board.Guard(volume._board.CountAsRestartedAsync("A synchronous write failed."));
                return;
            }

            if (_fault is null && _mustSync)
            {
                volume._order.Release(this);
                volume._sync.Request(Synced);
                return;
            }

            volume.EndWrite(this, new IoStatus(_fault), WireStatus.DiskFault, hasLock: true);
        }

        private void Synced(IoStatus status) => volume.EndWrite(this, status, WireStatus.DiskFault, hasLock: false);

        private sealed class PartDone(BoardWrite write, Payload data) : ICompletion
        {
            public void Completed(IoStatus status)
            {
                data.Release();
                write.PartEnded(status);
            }
        }
    }
}
