using MirrorController.Protocol.Blocks;

namespace MirrorController.Protocol.Wire;

/// <summary>The body of SYNC's answer: the blocks that the board could not read when it was to write them back (rule R5). No body: none.</summary>
public static class UnreadableReport
{
    /// <summary>The most ranges that a report holds; a disk with more is answered for with a fault.</summary>
    public const int RangesMax = 16384;

    /// <summary>Writes the body: a count, then start and count of each range.</summary>
    public static void Write(WireWriter writer, IReadOnlyList<BlockRange> ranges)
    {
        if (ranges.Count == 0)
        {
            return;
        }

        writer.I32(ranges.Count);
        foreach (var range in ranges)
        {
            writer.I64(range.Start).I32(range.Count);
        }
    }

    /// <summary>Reads a body; ranges that are not of the volume are left out.</summary>
    /// <param name="body">The answer's body.</param>
    /// <param name="blocks">The volume's blocks.</param>
    public static List<BlockRange> Read(byte[] body, long blocks)
    {
        var ranges = new List<BlockRange>();
        var reader = new WireReader(body);
        var count = body.Length == 0 ? 0 : Math.Min(reader.I32(), RangesMax);
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
}
