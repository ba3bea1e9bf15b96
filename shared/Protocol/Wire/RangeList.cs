using MirrorController.Protocol.Blocks;

namespace MirrorController.Protocol.Wire;

/// <summary>
/// Ranges as a body: what a board could not read when it was to write it back, in WRITE_BACK's answer (rule R5); what no member can
/// read, in SETTLE and FINISH (rule R2). No body: none.
/// </summary>
public static class RangeList
{
    /// <summary>The most ranges that a list holds; a disk with more is answered for with a fault.</summary>
    public const int RangesMax = 16384;

    /// <summary>Writes the body: a count, then start and count of each range; nothing where there is none.</summary>
    public static WireWriter Write(WireWriter writer, IReadOnlyList<BlockRange> ranges)
    {
        if (ranges.Count > 0)
        {
            writer.I32(ranges.Count);
            foreach (var range in ranges)
            {
                writer.I64(range.Start).I32(range.Count);
            }
        }

        return writer;
    }

    /// <summary>Reads a body; ranges that are not of the volume are left out.</summary>
    /// <param name="reader">Before the body.</param>
    /// <param name="blocks">The volume's blocks.</param>
    public static List<BlockRange> Read(WireReader reader, long blocks)
    {
        var ranges = new List<BlockRange>();
        var count = Math.Min(reader.I32(), RangesMax);
        for (var i = 0; i < count && !reader.IsBad; i++)
        {
            var range = new BlockRange(reader.I64(), reader.I32());
            if (!reader.IsBad && range.Count > 0 && range.Start >= 0 && range.Start <= blocks - range.Count)
            {
                ranges.Add(range);
            }
        }

        return ranges;
    }

    /// <summary>Lists a set in about so many ranges: those beyond are joined as far as a range can span them.</summary>
    public static List<BlockRange> Bounded(RangeSet set, int rangesMax)
    {
        var ranges = new List<BlockRange>();
        foreach (var range in set)
        {
            if (ranges.Count < rangesMax || range.End - ranges[^1].Start > int.MaxValue)
            {
                ranges.Add(range);
            }
            else
            {
                ranges[^1] = BlockRange.FromTo(ranges[^1].Start, range.End);
            }
        }

        return ranges;
    }
}
