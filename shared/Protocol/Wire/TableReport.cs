using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Tags;

namespace MirrorController.Protocol.Wire;

/// <summary>One entry as a board reports it.</summary>
public readonly record struct ReportedEntry(Tag Tag, ushort Generator, BlockRange Range, bool Sure, ulong Token);

/// <summary>One repair mark as a board reports it.</summary>
/// <param name="Range">The blocks that a copy may have half written.</param>
/// <param name="Session">The number of the session that set the mark.</param>
/// <param name="Attempt">The attempt within it.</param>
public readonly record struct ReportedMark(BlockRange Range, uint Session, uint Attempt);

/// <summary>A tag table and repair marks on the wire: behind the state in the answers to ATTACH and COLLECT.</summary>
public sealed class TableReport
{
    private const int EntriesMax = 16384;
    private const int MarksMax = 16384;

    public List<ReportedEntry> Entries { get; } = [];

    public List<ReportedMark> Marks { get; } = [];

    /// <summary>Writes the body.</summary>
    public void WriteTo(WireWriter writer)
    {
        writer.I32(Entries.Count).I32(Marks.Count);
        foreach (var e in Entries)
        {
            writer.U64(e.Tag.Value).I64(e.Range.Start).I32(e.Range.Count).U16(e.Generator).U8(e.Sure ? (byte)1 : (byte)0).U64(e.Token);
        }

        foreach (var m in Marks)
        {
            writer.I64(m.Range.Start).I32(m.Range.Count).U32(m.Session).U32(m.Attempt);
        }
    }

    /// <summary>Reads the rest of a body.</summary>
    /// <returns>Null if it is malformed.</returns>
    public static TableReport? Read(WireReader reader)
    {
        var entries = reader.I32();
        var marks = reader.I32();
        if (reader.IsBad || entries is < 0 or > EntriesMax || marks is < 0 or > MarksMax)
        {
            return null;
        }

        var report = new TableReport();
        for (var i = 0; i < entries && !reader.IsBad; i++)
        {
            var tag = new Tag(reader.U64());
            var range = new BlockRange(reader.I64(), reader.I32());
            report.Entries.Add(new ReportedEntry(tag, reader.U16(), range, reader.U8() == 1, reader.U64()));
        }

        for (var i = 0; i < marks && !reader.IsBad; i++)
        {
            report.Marks.Add(new ReportedMark(new BlockRange(reader.I64(), reader.I32()), reader.U32(), reader.U32()));
        }

        foreach (var e in report.Entries)
        {
            if (e.Range.Count <= 0 || e.Range.Start < 0)
            {
                return null;
            }
        }

        foreach (var m in report.Marks)
        {
            if (m.Range.Count <= 0 || m.Range.Start < 0)
            {
                return null;
            }
        }

        return reader.IsWhole ? report : null;
    }
}
