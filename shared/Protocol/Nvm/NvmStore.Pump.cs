using System.Runtime.ExceptionServices;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;

namespace MirrorController.Protocol.Nvm;

/// <content>The one procedure that writes to the chip: batches, and what must stand in order with them.</content>
public sealed partial class NvmStore
{
    private readonly List<RidingRecord> _riding = new(256);

    private async Task PumpAsync()
    {
        try
        {
            while (true)
            {
                if (_queue.Demands == 0)
                {
                    _pumping = false;
                    await _wake;
                    _pumping = true;
                    continue;
                }

                if (_fault is not null)
                {
                    FailAll();
                }
                else if (_queue.First.Kind == NvmQueueKind.Job)
                {
                    var job = _queue.First.Job!;
                    var done = _queue.First.JobDone!;
                    _queue.RemoveFirst();
                    done.SetResult(await job());
                }
                else if (MustEnterSegment)
                {
                    _fault = (await EnterSegmentAsync(0)).Fault;
                }
                else
                {
                    var forEntries = FillBatch();
                    if (_encoder!.BodyBytes > 0)
                    {
                        var position = _tail;
                        var bytes = _encoder.Seal(_chipState, position, StartCounter);
                        var status = await _transfer.Run(_layout!.RingAddress(position), bytes, _encoder.HeaderBytes);
                        if (status.IsOk)
                        {
                            _tail = position + bytes.Length;
                            _commits++;
                            if (forEntries > 0)
                            {
                                // The frame and the rest of the last page belong to the entries.
                                _bytesForEntries += forEntries + bytes.Length - _encoder.BodyBytes;
                            }

                            ApplyBatch(position);
                        }
                        else
                        {
                            _fault = status.Fault;
                        }
                    }

                    TellRiders();
                }
            }
        }
        catch (Exception exception)
        {
            // A bug halts the node: the loop rethrows it.
            _loop.Post(() => ExceptionDispatchInfo.Throw(exception));
        }
    }

    /// <summary>Takes records from the queue into a batch, and who waits for them; R of all volumes first.</summary>
    /// <returns>The bytes of entries.</returns>
    private int FillBatch()
    {
        _encoder!.Begin(RoomInSegment);
        _riding.Clear();
        foreach (var volume in _volumes)
        {
            if (volume.PendingRetired > volume.Retired && _encoder.HasRoom)
            {
                volume.RidingRetired = volume.PendingRetired;
                volume.PendingRetired = Tag.None;
                _encoder.AddTag(RingRecordKind.Retired, volume.Slot, volume.RidingRetired);
                _riding.Add(new RidingRecord(RingRecordKind.Retired, volume.Slot, volume.RidingRetired, default, 0, null));
            }
        }

        var forEntries = 0;
        while (_queue.Count > 0 && _queue.First.Kind != NvmQueueKind.Job)
        {
            ref var item = ref _queue.First;
            if (item.Kind == NvmQueueKind.Wait)
            {
                if (item.Done is not null)
                {
                    _riders.Add(item.Done);
                }
            }
            else if (!_encoder.HasRoom)
            {
                break;
            }
            else
            {
                ref var record = ref item.Record;
                switch (record.Kind)
                {
                    case RingRecordKind.Entry:
                        forEntries += _encoder.AddEntry(record.Slot, record.Tag, record.Generator, record.Range);
                        break;
                    case RingRecordKind.Mark:
                        _encoder.AddMark(record.Slot, record.Mark);
                        break;
                    case RingRecordKind.MarksCleared:
                        _encoder.AddMarksCleared(record.Slot, (uint)record.Number);
                        break;
                    case RingRecordKind.VolumeReset:
                        _encoder.AddVolumeReset(record.Slot);
                        break;
                    default:
                        _encoder.AddTag(record.Kind, record.Slot, record.Tag);
                        break;
                }

                _riding.Add(new RidingRecord(record.Kind, record.Slot, record.Tag, record.Mark, record.Number, item.Entry));
            }

            _queue.RemoveFirst();
        }

        return forEntries;
    }

    /// <summary>What a batch says holds now that it is stored.</summary>
    private void ApplyBatch(long position)
    {
        foreach (var riding in _riding)
        {
            var volume = _volumes[riding.Slot];
            if (riding.Kind == RingRecordKind.Entry)
            {
                // An entry that went meanwhile has been given a new life, or none.
                if (riding.Entry!.Tag == riding.Tag && riding.Entry.LogPosition == long.MaxValue)
                {
                    riding.Entry.Stored = true;
                    riding.Entry.LogPosition = position;
                }
            }
            else
            {
                Apply(volume, riding.Kind, riding.Tag, riding.Mark, (uint)riding.Number, position);
            }
        }

        foreach (var riding in _riding)
        {
            if (riding.Kind == RingRecordKind.Retired)
            {
                RetiredStored?.Invoke(riding.Slot, riding.Tag);
            }
        }
    }

    /// <summary>Gives a record other than an entry its meaning: the same when it is stored and when it is found again.</summary>
    private static void Apply(NvmVolume volume, RingRecordKind kind, Tag tag, RepairMark mark, uint session, long position)
    {
        switch (kind)
        {
            case RingRecordKind.Durable:
                volume.Durable = Tag.Max(volume.Durable, tag);
                break;
            case RingRecordKind.Retired:
                volume.Retired = Tag.Max(volume.Retired, tag);
                _ = volume.Table.RemoveThrough(volume.Retired);
                break;
            case RingRecordKind.Dropped:
                _ = volume.Table.RemoveThrough(tag);
                break;
            case RingRecordKind.EntryGone:
                _ = volume.Table.Remove(tag);
                break;
            case RingRecordKind.Mark:
            case RingRecordKind.CoarseMark:
                volume.Stored.Put(mark, position);
                volume.Working.Put(mark, position);
                break;
            case RingRecordKind.MarksCleared:
                volume.Working.Clear(session);
                volume.Stored.Clear(session);
                break;
            case RingRecordKind.VolumeReset:
                volume.ResetLog();
                break;
            default:
                Invariant.Check(false, "every record has a meaning");
                break;
        }
    }

    private void TellRiders()
    {
        var status = new IoStatus(_fault);
        for (var i = 0; i < _riders.Count; i++)
        {
            _riders[i].Completed(status);
        }

        _riders.Clear();
    }

    private void FailAll()
    {
        while (_queue.Count > 0)
        {
            if (_queue.First.Kind == NvmQueueKind.Wait)
            {
                if (_queue.First.Done is { } done)
                {
                    _riders.Add(done);
                }
            }
            else if (_queue.First.Kind == NvmQueueKind.Job)
            {
                _queue.First.JobDone!.SetResult(new IoStatus(_fault));
            }

            _queue.RemoveFirst();
        }

        TellRiders();
    }

    /// <summary>Ends the store behind what is on its way: from then on it fails everything, and another one may open the chip.</summary>
    public async Task EndAsync(string why)
    {
        if (_board is null || _fault is not null)
        {
            _fault ??= why;
            return;
        }

        await RunJobAsync(() =>
        {
            _fault ??= why;
            return Task.FromResult(IoStatus.Ok);
        });
    }

    private Task<IoStatus> RunJobAsync(Func<Task<IoStatus>> job)
    {
        if (_fault is not null)
        {
            return Task.FromResult(new IoStatus(_fault));
        }

        var done = new TaskCompletionSource<IoStatus>();
        ref var item = ref _queue.Add(NvmQueueKind.Job);
        item.Job = job;
        item.JobDone = done;
        _wake.Signal();
        return done.Task;
    }

    /// <summary>A record in the batch that is on its way.</summary>
    private readonly record struct RidingRecord(RingRecordKind Kind, int Slot, Tag Tag, RepairMark Mark, ulong Number, TagEntry? Entry);
}
