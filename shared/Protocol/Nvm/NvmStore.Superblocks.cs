using MirrorController.Protocol.Seams;

namespace MirrorController.Protocol.Nvm;

/// <content>What is overwritten in place: superblocks, and the procedures that end with one.</content>
public sealed partial class NvmStore
{
    private readonly byte[] _place = new byte[Math.Max(BoardSuperblock.Size, VolumeSuperblock.Size)];
    private int _boardCopy;

    /// <summary>Gives a chip its identity and division; everything on it is gone. The board starts next.</summary>
    /// <param name="volumesMax">The number of volumes that may ever come to be on it.</param>
    public async Task<IoStatus> FormatAsync(int volumesMax)
    {
        if (!NvmLayout.TryMake(_chip.SizeBytes, _chip.PageBytes, volumesMax, out var layout, out var fault))
        {
            return new IoStatus(fault);
        }

        if (_board is not null)
        {
            throw new InvalidOperationException("A memory chip in use is not formatted.");
        }

        var identity = new byte[16];
        _random.Fill(identity);
        var board = new BoardSuperblock
        {
            ChipId = new Guid(identity, bigEndian: true),
            ChipBytes = _chip.SizeBytes,
            PageBytes = _chip.PageBytes,
            VolumesMax = volumesMax,
            RingOffset = layout.RingOffset,
            RingBytes = layout.RingBytes,
            Directory = new Guid[volumesMax],
        };

        // Both copies: a leftover with a higher sequence must not survive. Sequences 1 and 2, copy 0 first.
        _layout = layout;
        _boardCopy = 1;
        _volumes = [];
        (_head, _tail, StartCounter) = (0, 0, 0);
        var status = await WriteBoardAsync(board);
        if (status.IsOk)
        {
            status = await WriteBoardAsync(_board!);
        }

        if (!status.IsOk)
        {
            _board = null;
            return status;
        }

        Attach(layout);
        _log.Info($"The memory chip ({_chip.Kind}) is formatted for {volumesMax} volumes; its identity is {_board!.ChipId}.");
        return status;
    }

    /// <summary>Starts the board: the new start counter is stored before anything is answered.</summary>
    public Task<IoStatus> StartAsync()
    {
        Known();
        return RunJobAsync(BeginStartAsync);
    }

    /// <summary>Counts as restarted (rule D1): a new start counter and boot id, everything above D is unsure.</summary>
    public Task<IoStatus> RestartAsync() => StartAsync();

    /// <summary>Makes a volume in a free slot, or makes a half-made one anew: its log, its superblock pair, its place in the directory.</summary>
    /// <exception cref="ArgumentException">The record is wrong, or the slot belongs to another volume.</exception>
    public Task<IoStatus> CreateVolumeAsync(int slot, VolumeRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (BootId == 0)
        {
            throw new InvalidOperationException("The board has not started on its memory chip.");
        }

        if ((uint)slot >= (uint)_volumes.Length)
        {
            throw new ArgumentException($"The memory chip is divided for {VolumesMax} volumes; there is no slot {slot}.", nameof(slot));
        }

        var volume = _volumes[slot];
        if (VolumeSuperblock.Judge(record) is { } fault)
        {
            throw new ArgumentException(fault, nameof(record));
        }

        if (volume.Exists && (volume.Record.VolumeId != record.VolumeId || volume.Record.State != VolumeState.Creating))
        {
            throw new ArgumentException($"Slot {slot} holds volume {volume.Record.Name}.", nameof(slot));
        }

        if (_fault is null)
        {
            ref var item = ref _queue.Add(NvmQueueKind.Record);
            item.Record.Kind = RingRecordKind.VolumeReset;
            item.Record.Slot = slot;
        }

        return RunJobAsync(async () =>
        {
            var status = await WriteVolumeAsync(volume, record);
            return status.IsOk ? await WriteDirectoryAsync(volume, record.VolumeId) : status;
        });
    }

    /// <summary>Stores a volume's record in both copies of its superblock, behind everything appended so far (N6).</summary>
    /// <exception cref="ArgumentException">The record is wrong, or is another volume's.</exception>
    public Task<IoStatus> StoreVolumeAsync(int slot, VolumeRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        var volume = Known(slot);
        if (VolumeSuperblock.Judge(record) is { } fault)
        {
            throw new ArgumentException(fault, nameof(record));
        }

        if (record.VolumeId != volume.Record.VolumeId || record.SizeMaxBytes != volume.Record.SizeMaxBytes || record.BlockBytes != volume.Record.BlockBytes)
        {
            throw new ArgumentException("A volume's id, block and largest size are fixed at its creation.", nameof(record));
        }

        return RunJobAsync(() => WriteVolumeAsync(volume, record));
    }

    /// <summary>Removes a volume from the directory; its slot is free.</summary>
    public Task<IoStatus> RemoveVolumeAsync(int slot)
    {
        var volume = Known(slot);
        return RunJobAsync(() => WriteDirectoryAsync(volume, Guid.Empty));
    }

    /// <summary>Writes the older copy of the board's superblock, so that it becomes the newer one.</summary>
    private async Task<IoStatus> WriteBoardAsync(BoardSuperblock board)
    {
        var copy = 1 - _boardCopy;
        var next = board with { Sequence = board.Sequence + 1, StartCounter = StartCounter };
        next.WriteTo(_place, copy);
        var status = await _transfer.Run(_layout!.BoardAddress(copy), _place.AsMemory(0, BoardSuperblock.Size), BoardSuperblock.Size);
        if (status.IsOk)
        {
            _board = next;
            _boardCopy = copy;
        }

        _fault ??= status.Fault;
        return status;
    }

    /// <summary>Writes both copies, the older one first: a cut leaves one whole copy at every moment.</summary>
    private async Task<IoStatus> WriteVolumeAsync(NvmVolume volume, VolumeRecord record)
    {
        for (var i = 0; i < 2; i++)
        {
            var copy = 1 - volume.NewerCopy;
            VolumeSuperblock.Write(_place, record, ChipId, volume.Slot, copy, volume.Sequence + 1);
            var status = await _transfer.Run(_layout!.VolumeAddress(volume.Slot, copy), _place.AsMemory(0, VolumeSuperblock.Size), VolumeSuperblock.Size);
            if (!status.IsOk)
            {
                _fault ??= status.Fault;
                return status;
            }

            volume.NewerCopy = copy;
            volume.Sequence++;
        }

        volume.IsPairUneven = false;
        volume.Record = record;
        volume.Divide(_layout!);
        return IoStatus.Ok;
    }

    /// <summary>Makes pairs whole again of which a cut left one copy behind: what is answered later relies on both (N6).</summary>
    private async Task<IoStatus> EvenPairsAsync()
    {
        var status = IoStatus.Ok;
        foreach (var volume in _volumes)
        {
            if (volume is { Exists: true, IsPairUneven: true } && status.IsOk)
            {
                status = await WriteVolumeAsync(volume, volume.Record);
            }
        }

        return status;
    }

    private async Task<IoStatus> WriteDirectoryAsync(NvmVolume volume, Guid volumeId)
    {
        // Twice: if the newer copy is lost, the older one must not know another directory.
        for (var i = 0; i < 2; i++)
        {
            var directory = _board!.Directory.ToArray();
            directory[volume.Slot] = volumeId;
            var status = await WriteBoardAsync(_board with { Directory = directory });
            if (!status.IsOk)
            {
                return status;
            }
        }

        volume.Exists = volumeId != Guid.Empty;
        return IoStatus.Ok;
    }

    /// <summary>Makes what a known chip needs in memory, and wakes the writer up.</summary>
    private void Attach(NvmLayout layout)
    {
        _layout = layout;
        _chipState = RingFormat.ChipState(ChipId);
        _encoder = new BatchEncoder(_context, layout.PageBytes);
        if (_volumes.Length == 0)
        {
            _volumes = new NvmVolume[layout.VolumeCount];
            for (var slot = 0; slot < _volumes.Length; slot++)
            {
                _volumes[slot] = new NvmVolume(slot);
            }
        }

        _ = PumpAsync();
    }
}
