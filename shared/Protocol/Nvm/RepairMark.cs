using MirrorController.Protocol.Blocks;

namespace MirrorController.Protocol.Nvm;

/// <summary>Blocks of this member that a reconciliation is overwriting, or that its disk refused: not to be trusted (rules R4, W7).</summary>
/// <param name="Range">The blocks.</param>
/// <param name="Session">The number of the session that set the mark: R7 clears those of older sessions, not those set meanwhile.</param>
/// <param name="Attempt">The attempt of that session.</param>
/// <param name="Coarse">Whether marks were merged for want of room, so that the range is wider than what was named.</param>
public readonly record struct RepairMark(BlockRange Range, uint Session, uint Attempt, bool Coarse = false)
{
    /// <summary>Tells whether this mark makes an older or equal one superfluous: it covers it and lives at least as long.</summary>
    public bool Absorbs(RepairMark other) =>
        Range.Contains(other.Range) && (Session > other.Session || (Session == other.Session && Attempt >= other.Attempt));

    /// <summary>Makes the one mark that stands for both.</summary>
    public RepairMark MergeWith(RepairMark other)
    {
        var start = Math.Min(Range.Start, other.Range.Start);
        var end = Math.Max(Range.End, other.Range.End);
        var younger = Session > other.Session || (Session == other.Session && Attempt >= other.Attempt) ? this : other;
        return younger with { Range = BlockRange.FromTo(start, end), Coarse = true };
    }
}
