using MirrorController.Protocol.Tags;

namespace MirrorController.Protocol.Nvm;

/// <summary>What a chip keeps for one volume, as far as it is stored.</summary>
/// <remarks>Changed by <see cref="NvmStore"/> only; the owner sets <see cref="TagEntry.Sure"/> and <see cref="TagEntry.Token"/> of the entries.</remarks>
public sealed class NvmVolume
{
    internal NvmVolume(int slot) => Slot = slot;

    /// <summary>Gets the slot on the chip.</summary>
    public int Slot { get; }

    /// <summary>Gets the superblock's record as stored.</summary>
    public VolumeRecord Record { get; internal set; } = null!;

    /// <summary>Gets the entries: those stored, and those appended and not yet stored (<see cref="TagEntry.Stored"/>).</summary>
    public TagTable Table { get; } = new();

    /// <summary>Gets D: every write up to it is on this member's medium. Stored.</summary>
    public Tag Durable { get; internal set; }

    /// <summary>Gets R: every write up to it is durable on every in-sync member, and its entry is gone. Stored.</summary>
    public Tag Retired { get; internal set; }

    /// <summary>Gets the repair marks: those stored, and those appended and not yet stored.</summary>
    public IReadOnlyList<RepairMark> Marks => Working.Marks;

    /// <summary>Gets how many entries the chip is sure to hold for this volume (rule D6).</summary>
    public int CapacityEntries { get; internal set; }

    /// <summary>Gets how many repair marks are kept before they merge.</summary>
    public int MarksMax { get; internal set; }

    /// <summary>Gets whether one more entry fits.</summary>
    public bool HasRoom => Table.Count < CapacityEntries;

    /// <summary>Gets the most bytes that an entry takes in the log, committed alone.</summary>
    internal int EntryBytesMax { get; set; }

    /// <summary>Gets the most bytes that a mark takes.</summary>
    internal int MarkBytesMax { get; set; }

    /// <summary>Gets the marks as the owner sees them.</summary>
    internal RepairMarkSet Working { get; } = new();

    /// <summary>Gets the marks as the log has them: what must be copied in front of the head.</summary>
    internal RepairMarkSet Stored { get; } = new();

    /// <summary>Gets or sets whether the superblock exists.</summary>
    internal bool Exists { get; set; }

    /// <summary>Gets or sets the sequence of the newer copy.</summary>
    internal ulong Sequence { get; set; }

    /// <summary>Gets or sets the newer copy.</summary>
    internal int NewerCopy { get; set; }

    /// <summary>Gets or sets whether the older copy is not what a completed <see cref="NvmStore.StoreVolumeAsync"/> leaves: it was cut, or has rotted.</summary>
    internal bool IsPairUneven { get; set; }

    /// <summary>Gets or sets the R that waits for the next batch.</summary>
    internal Tag PendingRetired { get; set; }

    /// <summary>Gets or sets the R that is in the batch being written.</summary>
    internal Tag RidingRetired { get; set; }

    /// <summary>Divides the volume's share of the ring: marks first, entries with the rest, each as if committed alone.</summary>
    internal void Divide(NvmLayout layout)
    {
        var blocksMax = (ulong)(Record.SizeMaxBytes / Record.BlockBytes);
        var blockBytes = RingFormat.VarintBytes(Math.Max(blocksMax, 1) - 1);
        var slotBytes = layout.VolumeCount > 1 ? 1 : 0;
        EntryBytesMax = layout.WholePages(5 + 1 + slotBytes + 8 + blockBytes + 3 + 2);
        MarkBytesMax = layout.WholePages(5 + 2 + blockBytes + 5 + 4 + 5);
        MarksMax = Math.Clamp(layout.ShareBytes / 8 / MarkBytesMax, 2, 64);
        CapacityEntries = Math.Max(0, (layout.ShareBytes - (MarksMax * MarkBytesMax)) / EntryBytesMax);
    }

    /// <summary>Forgets what the log said.</summary>
    internal void ResetLog()
    {
        _ = Table.RemoveThrough(new Tag(ulong.MaxValue));
        Working.Clear();
        Stored.Clear();
        Durable = Tag.None;
        Retired = Tag.None;
        PendingRetired = Tag.None;
        RidingRetired = Tag.None;
    }
}
