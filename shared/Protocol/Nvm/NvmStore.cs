using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;

namespace MirrorController.Protocol.Nvm;

/// <summary>The owner of a board's memory chip: superblocks, and the ring log with the tag tables of all volumes.</summary>
/// <remarks>
/// What must always hold; code and tests cite the numbers:
/// <list type="number">
/// <item>N1 A live record is never overwritten: the head moves only when what lives behind it stands further on, and the superblock says so.</item>
/// <item>N2 What was told as stored is found again at every later opening, whatever power cuts came between.</item>
/// <item>N3 What was retired (R stored) is never found as live again.</item>
/// <item>N4 Nothing left over from before a torn tail, an earlier round or another life of the chip is ever taken for a record.</item>
/// <item>N5 One transfer at a time; a transfer in doubt is written again in place.</item>
/// <item>N6 Session and view are in both copies of a volume's superblock before <see cref="StoreVolumeAsync"/> ends, behind everything appended before.</item>
/// <item>N7 After the chip has failed everything fails with the same sentence.</item>
/// </list>
/// For the loop's thread only. Records are appended, then committed: what is appended while a batch is on its way makes the next one.
/// </remarks>
public sealed partial class NvmStore
{
    private readonly ILoop _loop;
    private readonly INvm _chip;
    private readonly IRandomSource _random;
    private readonly INodeLog _log;
    private readonly VerifiedWrite _transfer;
    private readonly NvmQueue _queue = new();
    private readonly List<ICompletion> _riders = new(64);
    private readonly Wake _wake = new();
    private readonly RingContext _context = new();
    private NvmVolume[] _volumes = [];
    private NvmLayout? _layout;
    private BoardSuperblock? _board;
    private BatchEncoder? _encoder;
    private uint _chipState;
    private long _bytesForEntries;
    private long _commits;
    private string? _fault;
    private bool _pumping;

    /// <summary>Makes the store of a chip; <see cref="OpenAsync"/> comes first.</summary>
    public NvmStore(ILoop loop, INvm chip, IRandomSource random, INodeLog log)
    {
        _loop = loop;
        _chip = chip;
        _random = random;
        _log = log;
        _transfer = new VerifiedWrite(loop, chip);
    }

    /// <summary>Gets or sets who is told that R of a slot is stored; then its entries up to there are gone and their room counts.</summary>
    public Action<int, Tag>? RetiredStored { get; set; }

    /// <summary>Gets the random identity of the chip, drawn when it was formatted; it stands in the disk's label.</summary>
    public Guid ChipId => _board?.ChipId ?? Guid.Empty;

    /// <summary>Gets the number of volumes that the chip is divided for.</summary>
    public int VolumesMax => _board?.VolumesMax ?? 0;

    /// <summary>Gets the start counter in force; 0 before the first start.</summary>
    public ulong StartCounter { get; private set; }

    /// <summary>Gets the boot id: random, drawn with every start counter, 0 before the start. It belongs to exactly one start counter.</summary>
    public ulong BootId { get; private set; }

    /// <summary>Gets the sentence with which the chip failed, or null.</summary>
    public string? Fault => _fault;

    /// <summary>Gets what the chip has been used for.</summary>
    public NvmStatistics Statistics
    {
        get
        {
            long used = 0;
            foreach (var volume in _volumes)
            {
                if (volume.Exists)
                {
                    used += ((long)volume.Table.Count * volume.EntryBytesMax) + ((long)volume.Marks.Count * volume.MarkBytesMax);
                }
            }

            return new NvmStatistics(
                _chip.Kind,
                _chip.SizeBytes,
                used,
                (_layout?.RingBytes ?? 0) / 2,
                _bytesForEntries,
                _transfer.BytesWritten - _bytesForEntries,
                _commits);
        }
    }

    /// <summary>Gets the volume in a slot, or null.</summary>
    public NvmVolume? Volume(int slot) => (uint)slot < (uint)_volumes.Length && _volumes[slot].Exists ? _volumes[slot] : null;

    /// <summary>Finds a volume by its id, or null.</summary>
    public NvmVolume? FindVolume(Guid volumeId)
    {
        foreach (var volume in _volumes)
        {
            if (volume.Exists && volume.Record.VolumeId == volumeId)
            {
                return volume;
            }
        }

        return null;
    }

    /// <summary>Appends an entry and puts it into the volume's table; stored with the next commit (rule W4).</summary>
    /// <param name="slot">The volume's slot.</param>
    /// <param name="entry">The entry, from <see cref="TagTable.NewEntry"/>; its tag is above R and not in the table.</param>
    /// <exception cref="ArgumentException">No room (ask <see cref="NvmVolume.HasRoom"/>), a tag up to R, or blocks beyond the volume.</exception>
    public void AppendEntry(int slot, TagEntry entry)
    {
        var volume = Known(slot);
        if (!volume.HasRoom)
        {
            throw new ArgumentException($"The table of volume {volume.Record.Name} is full with {volume.CapacityEntries} entries.", nameof(entry));
        }

        if (entry.Tag <= volume.Retired)
        {
            throw new ArgumentException($"Tag {entry.Tag} is not above the retired mark {volume.Retired}.", nameof(entry));
        }

        if (entry.Range.Start < 0 || entry.Range.Count is <= 0 or > RingFormat.EntryCountMax
            || entry.Range.End > volume.Record.SizeMaxBytes / volume.Record.BlockBytes)
        {
            throw new ArgumentException($"An entry cannot cover {entry.Range} of volume {volume.Record.Name}.", nameof(entry));
        }

        entry.Stored = false;
        entry.LogPosition = long.MaxValue;
        volume.Table.Add(entry);
        ref var item = ref _queue.Add(NvmQueueKind.Record);
        item.Entry = entry;
        item.Record.Kind = RingRecordKind.Entry;
        item.Record.Slot = slot;
        item.Record.Tag = entry.Tag;
        item.Record.Generator = entry.Generator;
        item.Record.Range = entry.Range;
    }

    /// <summary>Moves R; it rides on the next batch and never goes back. The entries die when it is stored (rule D5).</summary>
    /// <remarks>
    /// It has a batch of its own at once when less than a quarter of the table is free; otherwise the owner calls
    /// <see cref="CommitIfRetirementPending"/> when nothing was written for 100 ms.
    /// </remarks>
    public void SetRetired(int slot, Tag retired)
    {
        var volume = Known(slot);
        if (retired > volume.Retired && retired > volume.RidingRetired && retired > volume.PendingRetired)
        {
            volume.PendingRetired = retired;
            if (volume.Table.Count > volume.CapacityEntries / 4 * 3)
            {
                CommitIfRetirementPending();
            }
        }
    }

    /// <summary>Appends a move of D; it never goes back (rule D1).</summary>
    public void SetDurable(int slot, Tag durable) => AppendTag(RingRecordKind.Durable, slot, durable);

    /// <summary>Appends that the entries up to a tag go without a move of R: a resync's target drops its own (rule C2).</summary>
    /// <remarks>They go when it is stored; no entry up to that tag may be appended before.</remarks>
    public void DropEntries(int slot, Tag through) => AppendTag(RingRecordKind.Dropped, slot, through);

    /// <summary>Appends that one entry goes: a repair mark takes its place (rule W7).</summary>
    public void RemoveEntry(int slot, Tag tag) => AppendTag(RingRecordKind.EntryGone, slot, tag);

    /// <summary>Appends a repair mark; short of room, marks merge into wider ones (rule D6).</summary>
    public void AddMark(int slot, RepairMark mark)
    {
        var volume = Known(slot);
        if (mark.Range.Start < 0 || mark.Range.Count <= 0)
        {
            throw new ArgumentException("A repair mark covers at least one block.", nameof(mark));
        }

        volume.Working.Put(mark, 0);
        if (volume.Marks.Count <= volume.MarksMax)
        {
            AppendMark(slot, mark);
            return;
        }

        var merged = volume.Working.TakeClosestPair();
        volume.Working.Put(merged, 0);
        if (!merged.Absorbs(mark))
        {
            AppendMark(slot, mark);
        }

        AppendMark(slot, merged);
    }

    /// <summary>Appends that the marks of sessions below a number go (rule R7); those set by that session and later stay.</summary>
    public void ClearMarks(int slot, uint belowSession)
    {
        _ = Known(slot);
        ref var item = ref _queue.Add(NvmQueueKind.Record);
        item.Record.Kind = RingRecordKind.MarksCleared;
        item.Record.Slot = slot;
        item.Record.Number = belowSession;
    }

    /// <summary>Stores everything appended so far; several callers may wait for one batch.</summary>
    /// <param name="done">Told when it is stored, or with the fault of the chip. Never within this call.</param>
    public void Commit(ICompletion done)
    {
        ArgumentNullException.ThrowIfNull(done);
        if (_fault is not null)
        {
            var status = new IoStatus(_fault);
            _loop.Post(() => done.Completed(status));
            return;
        }

        Known();
        if (_queue.Count == 0 && !_pumping && !IsRetirementPending)
        {
            _loop.Post(() => done.Completed(IoStatus.Ok));
            return;
        }

        _queue.Add(NvmQueueKind.Wait).Done = done;
        _wake.Signal();
    }

    /// <summary>Gets whether an R waits for a batch to ride on.</summary>
    public bool IsRetirementPending
    {
        get
        {
            foreach (var volume in _volumes)
            {
                if (volume.PendingRetired > volume.Retired)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Stores a pending R if nothing is on its way that it could ride on.</summary>
    public void CommitIfRetirementPending()
    {
        if (_fault is null && _queue.Demands == 0 && IsRetirementPending)
        {
            _ = _queue.Add(NvmQueueKind.Wait);
            _wake.Signal();
        }
    }

    private void AppendTag(RingRecordKind kind, int slot, Tag tag)
    {
        _ = Known(slot);
        ref var item = ref _queue.Add(NvmQueueKind.Record);
        item.Record.Kind = kind;
        item.Record.Slot = slot;
        item.Record.Tag = tag;
    }

    private void AppendMark(int slot, RepairMark mark)
    {
        ref var item = ref _queue.Add(NvmQueueKind.Record);
        item.Record.Kind = RingRecordKind.Mark;
        item.Record.Slot = slot;
        item.Record.Mark = mark;
    }

    private void Known()
    {
        if (_board is null)
        {
            throw new InvalidOperationException("The memory chip is not open.");
        }
    }

    private NvmVolume Known(int slot)
    {
        if (BootId == 0)
        {
            throw new InvalidOperationException("The board has not started on its memory chip.");
        }

        return Volume(slot) ?? throw new ArgumentException($"There is no volume in slot {slot}.", nameof(slot));
    }
}
