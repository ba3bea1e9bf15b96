using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <summary>The read path: in order with the writes (rule W4), and only after the replay (rule B4).</summary>
internal sealed partial class BoardVolume
{
    private const int ReadBytesMax = 256 * 1024;

    private readonly Stack<BoardRead> _freeReads = new();

    public void Read(BoardConnection from, in FrameHeader header)
    {
        if (!IsAttached(from, header) || !IsReadable(from, header))
        {
            return;
        }

        if (!IsRangeValid(header, ReadBytesMax))
        {
            from.ReplyFault(header, WireStatus.Invalid, $"A read of {RangeOf(header)} is not one of this volume.");
            return;
        }

        if (!_freeReads.TryPop(out var read))
        {
            read = new BoardRead(this);
        }

        read.Set(from, header);
        if (_order.Acquire(read, exclusive: false))
        {
            read.Begin();
        }
    }

    private bool IsReadable(BoardConnection from, in FrameHeader header)
    {
        if (_replayDone)
        {
            return true;
        }

        from.ReplyFault(header, WireStatus.NotNow, "This board waits for the end of its replay.");
        return false;
    }

    private sealed class BoardRead(BoardVolume volume) : RangeLockRequest, ICompletion
    {
        private BoardConnection _from = null!;
        private FrameHeader _header;
        private Slice _slice;

        public void Set(BoardConnection from, in FrameHeader header)
        {
            _from = from;
            _header = header;
            Range = volume.RangeOf(header);
        }

        public void Begin()
        {
            _slice = volume._board.Pool.Rent(Range.Count * volume._blockBytes);
            volume.Disk.Device.Read(volume.OffsetOf(Range.Start), _slice, this);
        }

        public void Completed(IoStatus status)
        {
            volume._order.Release(this);
            volume._board.NoteRead(status.IsOk);
            if (status.IsOk)
            {
                var payload = Payload.Take(_slice);
                var answer = default(FrameHeader);
                _from.Reply(_header, WireStatus.Ok, ref answer, payload);
                payload.Release();
            }
            else
            {
                _slice.Release();
                _from.ReplyFault(_header, WireStatus.DiskFault, status.Fault!);
            }

            _slice = default;
            _from = null!;
            volume._freeReads.Push(this);
        }

        protected override void Granted() => Begin();
    }
}
