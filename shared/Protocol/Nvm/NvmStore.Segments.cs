using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;

namespace MirrorController.Protocol.Nvm;

/// <content>The ring: where the next batch goes, when the head moves, what is copied in front of it.</content>
public sealed partial class NvmStore
{
    /// <summary>How many segments are in use at most when records are appended: the others are there to copy into.</summary>
    private const int UsedSegmentsMax = 5;

    private readonly ulong[] _counterBefore = new ulong[NvmLayout.Segments];
    private long _head;
    private long _tail;

    /// <summary>Gets the room behind the tail in its segment; 0 where a segment must be entered first.</summary>
    private int RoomInSegment
    {
        get
        {
            var used = (int)(_tail % _layout!.SegmentBytes);
            return used == 0 ? 0 : _layout.SegmentBytes - used;
        }
    }

    private bool MustEnterSegment => RoomInSegment < RingFormat.HeaderBytesMax + (2 * RingFormat.RecordBytesMax);

    private int UsedSegments => (int)(((_tail + _layout!.SegmentBytes - 1) / _layout.SegmentBytes) - (_head / _layout.SegmentBytes));

    /// <summary>Begins the next segment with a checkpoint, then frees segments at the head until enough are free.</summary>
    /// <param name="newCounter">The start counter to begin with this batch, or 0.</param>
    private async Task<IoStatus> EnterSegmentAsync(ulong newCounter)
    {
        var status = await BeginSegmentAsync(newCounter);
        return status.IsOk ? await TidyAsync() : status;
    }

    private async Task<IoStatus> TidyAsync()
    {
        // After one round everything that lives stands packed: another one would free nothing more.
        var status = IoStatus.Ok;
        for (var freed = 0; status.IsOk && freed < NvmLayout.Segments && UsedSegments > UsedSegmentsMax; freed++)
        {
            status = await FreeHeadAsync();
        }

        return status;
    }

    private async Task<IoStatus> BeginSegmentAsync(ulong newCounter)
    {
        var segmentBytes = _layout!.SegmentBytes;
        var position = (_tail + segmentBytes - 1) / segmentBytes * segmentBytes;
        if (position + segmentBytes > _head + _layout.RingBytes)
        {
            return new IoStatus("The memory chip's log is full: too many starts in a row were cut short while it was being tidied.");
        }

        _encoder!.Begin(segmentBytes);
        if (newCounter != 0)
        {
            _encoder.AddStart(newCounter);
        }

        _encoder.AddCheckpoint((int)(position - _tail));
        foreach (var volume in _volumes)
        {
            if (volume.Durable != Tag.None || volume.Retired != Tag.None)
            {
                _encoder.AddWatermarks(volume.Slot, volume.Durable, volume.Retired);
            }
        }

        var counterBefore = StartCounter;
        var status = await WriteBatchAsync(position, newCounter != 0 ? newCounter : StartCounter);
        if (status.IsOk)
        {
            _counterBefore[position / segmentBytes % NvmLayout.Segments] = counterBefore;
        }

        return status;
    }

    /// <summary>Copies what lives in the first segment behind the tail, then moves the head (N1).</summary>
    private async Task<IoStatus> FreeHeadAsync()
    {
        var end = _head + _layout!.SegmentBytes;
        while (true)
        {
            if (MustEnterSegment)
            {
                if (!HasLiveBefore(end))
                {
                    break;
                }

                var entered = await BeginSegmentAsync(0);
                if (!entered.IsOk)
                {
                    return entered;
                }
            }

            if (!FillWithLive(end))
            {
                break;
            }

            var status = await WriteBatchAsync(_tail, StartCounter);
            if (!status.IsOk)
            {
                return status;
            }
        }

        var before = _head;
        _head = end;
        var stored = await WriteBoardAsync(_board! with
        {
            HeadPosition = end,
            HeadCounter = _counterBefore[end / _layout.SegmentBytes % NvmLayout.Segments],
            StartCounter = StartCounter,
        });
        if (!stored.IsOk)
        {
            _head = before;
        }

        return stored;
    }

    private bool HasLiveBefore(long end)
    {
        foreach (var volume in _volumes)
        {
            for (var i = 0; i < volume.Table.Count; i++)
            {
                if (volume.Table[i].LogPosition < end)
                {
                    return true;
                }
            }

            for (var i = 0; i < volume.Stored.Marks.Count; i++)
            {
                if (volume.Stored.Position(i) < end)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Fills a batch with live records that stand before a position; they stand at the tail from then on.</summary>
    private bool FillWithLive(long end)
    {
        _encoder!.Begin(RoomInSegment);
        foreach (var volume in _volumes)
        {
            for (var i = 0; i < volume.Table.Count && _encoder.HasRoom; i++)
            {
                var entry = volume.Table[i];
                if (entry.LogPosition < end)
                {
                    _ = _encoder.AddEntry(volume.Slot, entry.Tag, entry.Generator, entry.Range);
                    entry.LogPosition = _tail;
                }
            }

            for (var i = 0; i < volume.Stored.Marks.Count && _encoder.HasRoom; i++)
            {
                if (volume.Stored.Position(i) < end)
                {
                    _encoder.AddMark(volume.Slot, volume.Stored.Marks[i]);
                    volume.Stored.SetPosition(i, _tail);
                }
            }
        }

        return _encoder.BodyBytes > 0;
    }

    private async Task<IoStatus> WriteBatchAsync(long position, ulong counter)
    {
        var bytes = _encoder!.Seal(_chipState, position, counter);
        Invariant.Check(position + bytes.Length <= _head + _layout!.RingBytes, "N1: no batch reaches what lives at the head");
        var status = await _transfer.Run(_layout.RingAddress(position), bytes, _encoder.HeaderBytes);
        if (status.IsOk)
        {
            _tail = position + bytes.Length;
        }

        return status;
    }

    /// <summary>Writes the first batch of a start (rule D1, decision of the start counter): before it nothing is answered.</summary>
    private async Task<IoStatus> BeginStartAsync()
    {
        // First what an earlier start left untidied when its power went: else each start that is cut short takes room, and after
        // some of them in a row the log is full for ever. What is copied here is found at its later place by the next opening.
        var status = await TidyAsync();
        if (status.IsOk)
        {
            status = await EvenPairsAsync();
        }

        if (!status.IsOk)
        {
            _fault ??= status.Fault;
            return status;
        }

        var counter = StartCounter + 1;
        if (MustEnterSegment)
        {
            status = await BeginSegmentAsync(counter);
        }
        else
        {
            _encoder!.Begin(RoomInSegment);
            _encoder.AddStart(counter);
            status = await WriteBatchAsync(_tail, counter);
        }

        if (status.IsOk)
        {
            StartCounter = counter;
            BootId = _random.NextNonZero();
            foreach (var volume in _volumes)
            {
                volume.Table.MakeUnsureAbove(volume.Durable);
            }

            status = await TidyAsync();
        }

        _fault ??= status.Fault;
        return status;
    }
}
