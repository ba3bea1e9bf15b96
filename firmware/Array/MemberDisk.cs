using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Seams;

namespace MirrorController.Firmware.Array;

/// <summary>What the labels of a disk say.</summary>
/// <param name="State">The better of the two copies.</param>
/// <param name="Label">The newest valid one, or null.</param>
/// <param name="Fault">Why the disk could not be read, or null.</param>
internal readonly record struct FoundLabel(LabelState State, DiskLabel? Label, string? Fault)
{
    /// <summary>Gets whether there is no disk that could be looked at; it may come.</summary>
    public bool IsAway { get; init; }

    public bool IsOurs => Label is not null || State is LabelState.Newer or LabelState.Damaged;

    public string VolumeName => Label?.Name ?? "of another version";
}

/// <summary>A member's disk: the device behind its label (disks d0, d1 of the patent).</summary>
internal sealed class MemberDisk(IBlockDevice device, DiskLabel label)
{
    private const long ZeroPieceBytes = 64L << 20;

    public IBlockDevice Device { get; } = device;

    public long DataOffsetBytes { get; } = label.DataOffsetBytes;

    public void Close() => Device.Close();

    /// <summary>Tells whether the first copy of the label can be read just now.</summary>
    public async Task<bool> CanBeReadAsync(BoardNode board)
    {
        var slice = board.Pool.Rent(DiskLabel.Size);
        var read = new AsyncCompletion(board.Loop);
        Device.Read(0, slice, read);
        var status = await read.Task;
        slice.Release();
        return status.IsOk;
    }

    /// <summary>Opens the disk of a member that exists: its label must name this volume, this member and this chip.</summary>
    /// <returns>The disk, or null, one sentence, and whether there is none that could be looked at.</returns>
    public static async Task<(MemberDisk? Disk, string Sentence, bool IsAway)> OpenAsync(BoardNode board, VolumeRecord record)
    {
        switch (board.DiskPlace.Open(out var device, out var sentence))
        {
            case DiskFinding.Missing or DiskFinding.Absent:
                return (null, $"The disk {board.DiskPlace.Name} of volume {record.Name} is not there.", true);
            case DiskFinding.Refused:
                return (null, sentence, true);
        }

        var found = await ReadLabelAsync(board, device!);
        var wrong = Judge(board, record, device!, found);
        if (wrong is not null)
        {
            device!.Close();
            // A label that cannot be read just now judges nobody.
            return (null, wrong, found.Fault is not null);
        }

        return (new MemberDisk(device!, found.Label!), string.Empty, false);
    }

    /// <summary>Looks whether there is a disk, with a label of ours or with something foreign (section 10a).</summary>
    /// <param name="board">The board.</param>
    /// <param name="headBytes">How far a block device has to be blank to count as blank: labels, maps, all up to the data. A file counts as blank only if there is none.</param>
    public static async Task<FoundLabel> FindLabelAsync(BoardNode board, long headBytes)
    {
        switch (board.DiskPlace.Open(out var device, out var sentence))
        {
            case DiskFinding.Missing:
                return new FoundLabel(LabelState.Blank, null, null);
            case DiskFinding.Refused or DiskFinding.Absent:
                return new FoundLabel(LabelState.Foreign, null, sentence) { IsAway = true };
        }

        var found = await ReadLabelAsync(board, device!);
        if (found.State == LabelState.Blank)
        {
            found = board.DiskPlace.IsDevice
                ? await ReadHeadAsync(board, device!, Math.Min(headBytes, device!.SizeBytes))
                : new FoundLabel(LabelState.Foreign, null, null);
        }

        device!.Close();
        return found with { IsAway = found.Fault is not null };
    }

    /// <summary>Takes the label of a creation that never came to its end off the disk, durably.</summary>
    public static async Task<IoStatus> EraseLabelAsync(BoardNode board)
    {
        switch (board.DiskPlace.Open(out var device, out var sentence))
        {
            case DiskFinding.Missing:
                return IoStatus.Ok;
            case DiskFinding.Refused or DiskFinding.Absent:
                return new IoStatus(sentence);
        }

        var zeroed = new AsyncCompletion(board.Loop);
        device!.Zero(0, Math.Min(device.SizeBytes, DiskLabel.HeadBytesMin), zeroed);
        var status = await zeroed.Task;
        if (status.IsOk)
        {
            status = await SyncAsync(board.Loop, device);
        }

        device.Close();
        return status;
    }

    /// <summary>Makes the disk of a new member read as zeroes, durably; the label comes last (<see cref="WriteLabelAsync"/>).</summary>
    public static async Task<(MemberDisk? Disk, string Sentence)> CreateAsync(BoardNode board, DiskLabel label)
    {
        var needed = label.DataOffsetBytes + label.SizeBytes;
        var device = board.DiskPlace.Create(needed, out var mustZero, out var sentence);
        if (device is null)
        {
            return (null, sentence);
        }

        if (device.SizeBytes < needed)
        {
            device.Close();
            return (null, $"The disk {device.Name} has {device.SizeBytes} bytes; the volume needs {needed}.");
        }

        if (label.BlockBytes < device.PhysicalSectorBytes)
        {
            device.Close();
            return (null, $"The disk {device.Name} has sectors of {device.PhysicalSectorBytes} bytes; a block of {label.BlockBytes} is smaller.");
        }

        var status = IoStatus.Ok;
        if (mustZero)
        {
            for (long at = 0; at < needed && status.IsOk; at += ZeroPieceBytes)
            {
                var zeroed = new AsyncCompletion(board.Loop);
                device.Zero(at, Math.Min(ZeroPieceBytes, needed - at), zeroed);
                status = await zeroed.Task;
            }
        }

        if (status.IsOk)
        {
            status = await SyncAsync(board.Loop, device);
        }

        if (!status.IsOk)
        {
            device.Close();
            return (null, status.Fault!);
        }

        return (new MemberDisk(device, label), string.Empty);
    }

    /// <summary>Writes both copies of the label, a flush after each: a cut leaves one whole copy at every moment.</summary>
    public async Task<IoStatus> WriteLabelAsync(BoardNode board, DiskLabel label)
    {
        for (var copy = 0; copy < 2; copy++)
        {
            var slice = board.Pool.Rent(DiskLabel.Size);
            label.WriteTo(slice.Span, copy);
            var payload = Payload.Take(slice);
            var written = new AsyncCompletion(board.Loop);
            Device.Write(copy * DiskLabel.SecondCopyOffset, payload, written);
            var status = await written.Task;
            payload.Release();
            if (status.IsOk)
            {
                status = await SyncAsync(board.Loop, Device);
            }

            if (!status.IsOk)
            {
                return status;
            }
        }

        return IoStatus.Ok;
    }

    private static Task<IoStatus> SyncAsync(ILoop loop, IBlockDevice device)
    {
        var synced = new AsyncCompletion(loop);
        device.Sync(synced);
        return synced.Task;
    }

    private static async Task<FoundLabel> ReadLabelAsync(BoardNode board, IBlockDevice device)
    {
        var best = new FoundLabel(LabelState.Blank, null, null);
        for (var copy = 0; copy < 2; copy++)
        {
            var offset = copy * DiskLabel.SecondCopyOffset;
            if (offset + DiskLabel.Size > device.SizeBytes)
            {
                return best with { State = AtLeastForeign(best.State) };
            }

            var slice = board.Pool.Rent(DiskLabel.Size);
            var read = new AsyncCompletion(board.Loop);
            device.Read(offset, slice, read);
            var status = await read.Task;
            if (!status.IsOk)
            {
                slice.Release();
                best = best.Label is null ? best with { State = AtLeastForeign(best.State), Fault = status.Fault } : best;
                continue;
            }

            var state = DiskLabel.Read(slice.Span, copy, out var label);
            slice.Release();
            var isNewer = label is not null && (best.Label is null || label.Sequence > best.Label.Sequence);
            if (isNewer || (best.Label is null && state > best.State))
            {
                // What one place holds does not tell what stands in the other, which could not be read.
                best = new FoundLabel(state, label, label is null ? best.Fault : null);
            }
        }

        return best;
    }

    private static LabelState AtLeastForeign(LabelState state) => state == LabelState.Blank ? LabelState.Foreign : state;

    /// <summary>Tells whether a block device without a label is blank: another's signature may stand anywhere in front of the data.</summary>
    private static async Task<FoundLabel> ReadHeadAsync(BoardNode board, IBlockDevice device, long headBytes)
    {
        byte? fill = null;
        for (long at = 0; at < headBytes; at += Chunk.Size)
        {
            var slice = board.Pool.Rent((int)Math.Min(Chunk.Size, headBytes - at));
            var read = new AsyncCompletion(board.Loop);
            device.Read(at, slice, read);
            var status = await read.Task;
            fill ??= slice.Span[0];
            var isBlank = fill is 0x00 or 0xFF && !slice.Span.ContainsAnyExcept(fill.Value);
            slice.Release();
            if (!status.IsOk || !isBlank)
            {
                return new FoundLabel(LabelState.Foreign, null, status.Fault);
            }
        }

        return new FoundLabel(LabelState.Blank, null, null);
    }

    private static string? Judge(BoardNode board, VolumeRecord record, IBlockDevice device, FoundLabel found)
    {
        if (found.Fault is not null)
        {
            return $"The label of the disk {device.Name} cannot be read: {found.Fault}";
        }

        if (found.Label is not { } label)
        {
            return found.State switch
            {
                LabelState.Blank => $"The disk {device.Name} has no label; the chip belongs to member {record.Member} of volume {record.Name}.",
                LabelState.Newer => $"The disk {device.Name} has a label of a newer format; this version knows formats up to {DiskLabel.Version}.",
                LabelState.Damaged => $"Both labels of the disk {device.Name} are damaged; the board counts as blank.",
                _ => $"The disk {device.Name} is foreign: it has no label of ours, and the chip belongs to member {record.Member} of volume {record.Name}.",
            };
        }

        if (VolumeIds.ToGuid(label.Volume) != record.VolumeId || label.Member != record.Member)
        {
            return $"The disk {device.Name} is that of member {label.Member} of volume {label.Name} ({label.Volume}), the chip that of member {record.Member} of volume {record.Name}.";
        }

        if (label.ChipId != board.Store.ChipId)
        {
            return $"The disk {device.Name} belongs to the memory chip {label.ChipId}, this board has {board.Store.ChipId}: they are not a pair.";
        }

        if (label.SizeBytes != record.SizeBytes || label.DataOffsetBytes + label.SizeBytes > device.SizeBytes)
        {
            return $"The disk {device.Name} has {device.SizeBytes} bytes and a label for {label.SizeBytes}; the volume has {record.SizeBytes}.";
        }

        return null;
    }
}
