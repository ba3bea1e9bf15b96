using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>One operation of a simulated disk, from its begin to its end.</summary>
internal sealed class SimDiskRequest(SimDiskMedia media, SimDiskOperation operation, long offsetBytes, long lengthBytes, Payload? payload, Slice into)
{
    private bool _isApplied;

    /// <summary>Gets or sets the last write that a sync is to make durable: it had ended when the sync began.</summary>
    public long SyncsUpTo { get; set; }

    public bool IsRead => operation == SimDiskOperation.Read;

    /// <summary>Gets whether it makes something durable: such operations end in their order.</summary>
    public bool IsDurable => operation is SimDiskOperation.WriteSync or SimDiskOperation.Sync;

    private bool Changes => operation is SimDiskOperation.Write or SimDiskOperation.WriteSync or SimDiskOperation.Zero;

    public bool Conflicts(SimDiskRequest other) =>
        (Changes || other.Changes) && offsetBytes < other.End && other.Offset < offsetBytes + lengthBytes;

    private long Offset => offsetBytes;

    private long End => offsetBytes + lengthBytes;

    /// <summary>Does it, at its end; a sentence is a fault.</summary>
    public string? Apply()
    {
        _isApplied = true;
        return TryApply() is { } fault ? Fail(fault) : null;
    }

    /// <summary>Leaves it undone.</summary>
    public string Fail(string fault)
    {
        _isApplied = true;
        if (IsRead)
        {
            media.ReadHasFailed(offsetBytes, lengthBytes);
        }

        return fault;
    }

    public override string ToString() => $"{operation} {offsetBytes}+{lengthBytes}";

    /// <summary>The power goes while it runs: it may have got to the cache, and from there to the medium.</summary>
    public void ApplyAtPowerCut()
    {
        if (Changes && !_isApplied)
        {
            Store(durable: false);
        }
    }

    /// <summary>The node's process ends while it runs: the system ends it all the same.</summary>
    public void ApplyAtProcessEnd()
    {
        if (!_isApplied && operation != SimDiskOperation.Read)
        {
            Apply();
        }
    }

    private string? TryApply()
    {
        var faults = media.Faults;
        if (faults.Judge?.Invoke(operation, offsetBytes, lengthBytes) is { } fault)
        {
            return fault;
        }

        switch (operation)
        {
            case SimDiskOperation.Read when faults.IsSpoiled(offsetBytes, lengthBytes):
                return "Reading failed: Input/output error.";
            case SimDiskOperation.Read when faults.FailReads > 0:
                faults.FailReads--;
                return "Reading failed: Input/output error.";
            case SimDiskOperation.Read:
                media.ReadNow(offsetBytes, into.Span);
                return null;
            case SimDiskOperation.Sync when faults.FailSyncs > 0:
                faults.FailSyncs--;
                media.FailSyncNow();
                return "Syncing failed: Input/output error.";
            case SimDiskOperation.Sync when faults.HasUnreportedError:
                faults.HasUnreportedError = false;
                return "Syncing failed: Input/output error.";
            case SimDiskOperation.Sync:
                media.SyncNow(SyncsUpTo);
                return null;
        }

        if (faults.IsFull)
        {
            return "Writing failed: No space left on device.";
        }

        if (faults.FailWrites > 0)
        {
            faults.FailWrites--;
            if (faults.FailedWritesAreTaken)
            {
                Store(durable: false);
            }

            return "Writing failed: Input/output error.";
        }

        if (operation == SimDiskOperation.WriteSync && faults.HasUnreportedError)
        {
            // It says what an earlier writeback did, once; this write itself is in the cache.
            faults.HasUnreportedError = false;
            Store(durable: false);
            return "Writing failed: Input/output error.";
        }

        Store(durable: operation == SimDiskOperation.WriteSync);
        faults.Heal(offsetBytes, lengthBytes);
        return null;
    }

    private void Store(bool durable)
    {
        if (operation == SimDiskOperation.Zero)
        {
            media.StoreNow(offsetBytes, new byte[lengthBytes], durable);
            return;
        }

        if (payload!.Length != lengthBytes)
        {
            throw new InvalidOperationException($"{media.Name}: the payload of a write was released before the write had ended.");
        }

        var bytes = new byte[lengthBytes];
        payload.CopyTo(0, bytes);
        media.StoreNow(offsetBytes, bytes, durable);
    }
}
