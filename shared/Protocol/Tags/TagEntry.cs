using MirrorController.Protocol.Blocks;

namespace MirrorController.Protocol.Tags;

/// <summary>One entry of a tag table: a write that this member may not have in durable form yet. Entries 76 and 86 of the patent.</summary>
public sealed class TagEntry : IBlockRanged
{
    /// <summary>Gets or sets the write's tag.</summary>
    public Tag Tag { get; set; }

    /// <summary>Gets or sets the number of the generator that the write came from.</summary>
    public ushort Generator { get; set; }

    /// <summary>Gets or sets the blocks written.</summary>
    public BlockRange Range { get; set; }

    /// <summary>Gets or sets the number of this entry's insertion since the board's start; 0: loaded from NVM at the start.</summary>
    public ulong Token { get; set; }

    /// <summary>Gets or sets whether this board, since it started, handed the data to its disk and the disk took it, so that a read returns it.</summary>
    public bool Sure { get; set; }

    /// <summary>Gets or sets whether the entry's record is in NVM (rule W4: before that no byte goes to the disk).</summary>
    public bool Stored { get; set; }

    /// <summary>Gets or sets whether a write of this entry's data is under way on this board, between 'accepted' and 'the disk has it'.</summary>
    public bool InProgress { get; set; }

    /// <summary>Gets or sets the 64-bit position of the entry's live record in the ring log.</summary>
    public long LogPosition { get; set; }
}
