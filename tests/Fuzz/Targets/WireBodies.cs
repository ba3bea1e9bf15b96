using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>The bodies of frames between agent, boards and boards.</summary>
internal static class WireBodies
{
    private const string Wire = "a peer's frame";

    public static IEnumerable<FuzzTarget> All =>
    [
        new Decoder("wire-hello", Wire, bytes => Hello.Read(Reader(bytes), out _) is not null, () => [WireSamples.Body(WireSamples.Hello.WriteTo)]),
        new Decoder("wire-state", Wire, DecodeState, () => [WireSamples.Body(WireSamples.State.WriteTo), WireSamples.Body((WireSamples.State with { View = null }).WriteTo)]),
        new Decoder("wire-create", Wire, bytes => CreateRequest.Read(Reader(bytes), out var wrong) is not null || Refused(wrong), () => [WireSamples.Body(WireSamples.Creation.WriteTo)]),
        new Decoder("wire-table", Wire, DecodeTable, () => [WireSamples.Body(WireSamples.Table.WriteTo), WireSamples.Body(new TableReport().WriteTo)]),
        new Decoder("wire-ranges", Wire, DecodeRanges, () => [WireSamples.Body(w => RangeList.Write(w, [new BlockRange(1, 2), new BlockRange(100, 60)]))]),
        new Decoder("view", "a peer's frame, the chip's superblock", DecodeView, () => [WireSamples.Bytes(View.Size, b => WireSamples.View.WriteTo(b))]),
    ];

    private static WireReader Reader(ReadOnlySpan<byte> bytes) => new(bytes.ToArray());

    private static bool DecodeState(ReadOnlySpan<byte> bytes)
    {
        if (BoardState.Read(Reader(bytes)) is not { } state)
        {
            return false;
        }

        // What was read can be written, and says the same.
        var again = BoardState.Read(new WireReader(WireSamples.Body(state.WriteTo)));
        return again is not null && again.SizeBytes == state.SizeBytes ? true : throw new InvalidOperationException("a state that was read does not come back");
    }

    private static bool DecodeTable(ReadOnlySpan<byte> bytes)
    {
        if (TableReport.Read(Reader(bytes)) is not { } table)
        {
            return false;
        }

        foreach (var entry in table.Entries)
        {
            Sound(entry.Range, long.MaxValue);
        }

        foreach (var mark in table.Marks)
        {
            Sound(mark.Range, long.MaxValue);
        }

        return true;
    }

    private static bool DecodeRanges(ReadOnlySpan<byte> bytes)
    {
        const long Blocks = 1L << 18;
        var ranges = RangeList.Read(Reader(bytes), Blocks);
        foreach (var range in ranges)
        {
            Sound(range, Blocks);
        }

        return ranges.Count > 0;
    }

    private static bool DecodeView(ReadOnlySpan<byte> bytes)
    {
        if (!View.TryRead(bytes, out var view, out var fault))
        {
            return Refused(fault);
        }

        var again = new byte[View.Size];
        view.WriteTo(again);
        return bytes[..View.Size].SequenceEqual(again) ? true : throw new InvalidOperationException("a view that was read is written otherwise");
    }

    private static void Sound(BlockRange range, long end)
    {
        if (range.Count <= 0 || range.Start < 0 || range.End < range.Start || range.End > end)
        {
            throw new InvalidOperationException($"the range {range} was decoded");
        }
    }

    private static bool Refused(string sentence) =>
        sentence.Length > 0 ? false : throw new InvalidOperationException("refused without a sentence");
}
