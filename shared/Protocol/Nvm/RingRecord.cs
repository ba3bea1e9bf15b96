using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Tags;

namespace MirrorController.Protocol.Nvm;

/// <summary>What a record of the ring log says; the number is its first byte, but for entries.</summary>
public enum RingRecordKind
{
    /// <summary>An entry of a tag table; first byte 0x40 to 0x7F.</summary>
    Entry = 0,

    /// <summary>The first batch of a start: the new start counter in clear.</summary>
    Start = 1,

    /// <summary>The first batch of a segment: where the log ended in the segment before.</summary>
    Checkpoint = 2,

    /// <summary>D and R of a volume, in a checkpoint.</summary>
    Watermarks = 3,

    /// <summary>D of a volume.</summary>
    Durable = 4,

    /// <summary>R of a volume: its entries up to there are gone.</summary>
    Retired = 5,

    /// <summary>The entries up to a tag that stand before this record are gone, without a move of R.</summary>
    Dropped = 6,

    /// <summary>One entry that stands before this record is gone.</summary>
    EntryGone = 7,

    /// <summary>A repair mark; it takes the place of those it absorbs.</summary>
    Mark = 8,

    /// <summary>A repair mark made of several for want of room.</summary>
    CoarseMark = 9,

    /// <summary>The repair marks of sessions below a number are gone.</summary>
    MarksCleared = 10,

    /// <summary>A volume begins in this slot: what stands before for the slot is another one's.</summary>
    VolumeReset = 11,
}

/// <summary>A record of the ring log, decoded.</summary>
public struct RingRecord
{
    /// <summary>What the record says.</summary>
    public RingRecordKind Kind;

    /// <summary>The volume's slot.</summary>
    public int Slot;

    /// <summary>The entry's tag, or the value of D or R, or the bound.</summary>
    public Tag Tag;

    /// <summary>The second tag of <see cref="RingRecordKind.Watermarks"/>: R.</summary>
    public Tag Tag2;

    /// <summary>The entry's generator.</summary>
    public ushort Generator;

    /// <summary>The entry's blocks.</summary>
    public BlockRange Range;

    /// <summary>The repair mark.</summary>
    public RepairMark Mark;

    /// <summary>The start counter, the distance of a checkpoint, or the session of <see cref="RingRecordKind.MarksCleared"/>.</summary>
    public ulong Number;
}
