using CsCheck;
using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Fuzz.Targets;

namespace MirrorController.Tests.Unit.Wire;

/// <summary>The bodies that are not data: a board's account of itself, its table, a creation.</summary>
public sealed class BodyTests
{
    private static readonly Gen<BlockRange> Range = Gen.Select(Gen.Long[0, 1L << 50], Gen.Int[1, int.MaxValue], (s, n) => new BlockRange(s, n));

    private static readonly Gen<TableReport> Table = Gen.Select(
        Gen.Select(Gen.ULong, Gen.UShort, Range, Gen.Bool, Gen.ULong, (t, g, r, s, k) => new ReportedEntry(new Tag(t), g, r, s, k)).List[0, 10],
        Gen.Select(Range, Gen.UInt, Gen.UInt, (r, s, a) => new ReportedMark(r, s, a)).List[0, 5],
        (entries, marks) =>
        {
            var table = new TableReport();
            table.Entries.AddRange(entries);
            table.Marks.AddRange(marks);
            return table;
        });

    private static BoardState State(View? view) => WireSamples.State with
    {
        View = view,
        NvmUsedBytes = 777,
        NvmBytesWritten = 123456,
        NvmBytesOverhead = 789,
        NvmCommits = 55,
    };

    private static CreateRequest Creation => new()
    {
        Volume = new VolumeId(3, 4),
        Name = "tank",
        Member = 1,
        BlockBytes = 4096,
        SizeBytes = 1L << 30,
        SizeMaxBytes = 1L << 34,
        View = WireGen.SomeView(),
    };

    [Fact]
    public void The_bytes_of_a_board_state_are_pinned()
    {
        Assert.Equal(
            "0400" + "70692D61" + "00" + "0400" + "6E6F6E65" + "4444333322221111" + "1100000000000000" + "01000000000000000200000000000000" + "0400" + "74616E6B"
            + "0100" + "00100000" + "0000004000000000" + "09000000AA00000000000000" + "08000000BB00000000000000" + "0500000000090000" + "0400000000090000"
            + "E8030000" + "03000000" + "02000000" + "01" + "0F00" + "6672616D204D423835524332353656" + "00800000" + "09030000"
            + "40E2010000000000" + "1503000000000000" + "3700000000000000" + "0D00" + "66696C65206469736B2E696D67" + "0000008000000000" + "0000100000000000" + "00",
            Convert.ToHexString(Body(w => State(null).WriteTo(w))));
    }

    [Fact]
    public void The_bytes_of_a_table_are_pinned()
    {
        var table = new TableReport();
        table.Entries.Add(new ReportedEntry(Tag.Of(9, 5), 2, new BlockRange(0x10, 3), true, 0x99));
        table.Marks.Add(new ReportedMark(new BlockRange(0x20, 4), 9, 6));
        Assert.Equal(
            "01000000" + "01000000" + "0500000000090000" + "1000000000000000" + "03000000" + "0200" + "01" + "9900000000000000"
            + "2000000000000000" + "04000000" + "09000000" + "06000000",
            Convert.ToHexString(Body(table.WriteTo)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_board_state_comes_back_and_every_truncation_of_it_is_refused(bool hasView)
    {
        var state = State(hasView ? WireGen.SomeView() : null);
        var body = Body(state.WriteTo);
        var read = BoardState.Read(new WireReader(body));
        Assert.NotNull(read);
        Assert.Equal(hasView, read.View is not null);
        Assert.True(!hasView || read.View!.IsSameAs(state.View!));
        Assert.Equal(state, read with { View = state.View });
        AssertTruncationsRefused(body, reader => BoardState.Read(reader) is null);
    }

    [Fact]
    public void A_board_state_with_an_unknown_condition_or_a_session_beyond_the_last_is_refused()
    {
        Assert.Null(BoardState.Read(new WireReader(Body((State(null) with { Condition = (BoardCondition)4 }).WriteTo))));
        Assert.Null(BoardState.Read(new WireReader(Body((State(null) with { Session = new SessionId(SessionId.MaxNumber + 1, 1) }).WriteTo))));
    }

    [Fact]
    public void A_table_comes_back_and_every_truncation_of_it_is_refused()
    {
        Table.Sample(table =>
        {
            var body = Body(table.WriteTo);
            var read = TableReport.Read(new WireReader(body));
            Assert.Equal(table.Entries, read!.Entries);
            Assert.Equal(table.Marks, read.Marks);
            AssertTruncationsRefused(body, reader => TableReport.Read(reader) is null);
            Assert.Null(TableReport.Read(new WireReader([.. body, 0])));
        });
    }

    [Fact]
    public void A_table_that_claims_more_than_it_brings_is_refused_without_making_room_for_it()
    {
        var most = Body(w => w.I32(16384).I32(16384));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(TableReport.Read(new WireReader(most)));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 10_000);
        Assert.Null(TableReport.Read(new WireReader(Body(w => w.I32(16385).I32(0)))));
        Assert.Null(TableReport.Read(new WireReader(Body(w => w.I32(0).I32(16385)))));
        Assert.Null(TableReport.Read(new WireReader(Body(w => w.I32(-1).I32(0)))));
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 0)]
    [InlineData(0, -5)]
    public void A_table_with_an_impossible_range_is_refused(long start, int count)
    {
        var entry = new TableReport();
        entry.Entries.Add(new ReportedEntry(Tag.Of(1, 1), 1, new BlockRange(start, count), true, 1));
        Assert.Null(TableReport.Read(new WireReader(Body(entry.WriteTo))));
        var mark = new TableReport();
        mark.Marks.Add(new ReportedMark(new BlockRange(start, count), 1, 1));
        Assert.Null(TableReport.Read(new WireReader(Body(mark.WriteTo))));
    }

    [Fact]
    public void A_creation_comes_back_and_every_truncation_of_it_is_refused()
    {
        var body = Body((Creation with { CheckOnly = true, Wipe = true }).WriteTo);
        var read = CreateRequest.Read(new WireReader(body), out var wrong);
        Assert.Empty(wrong);
        Assert.True(read!.View.IsSameAs(Creation.View));
        Assert.Equal(Creation with { CheckOnly = true, Wipe = true, View = read.View }, read);
        AssertTruncationsRefused(body, reader => CreateRequest.Read(reader, out var sentence) is null && sentence.Length > 0);
        Assert.Null(CreateRequest.Read(new WireReader([.. body, 0]), out _));
    }

    [Fact]
    public void A_creation_that_cannot_be_is_refused_with_a_sentence()
    {
        Assert.Contains("malformed", Refusal(Creation with { Volume = VolumeId.None }), StringComparison.Ordinal);
        Assert.Contains("1 to 32 bytes", Refusal(Creation with { Name = "../tank" }), StringComparison.Ordinal);
        Assert.Contains("1 to 32 bytes", Refusal(Creation with { Name = new string('a', 33) }), StringComparison.Ordinal);
        Assert.Contains("8192 bytes is not served", Refusal(Creation with { BlockBytes = 8192 }), StringComparison.Ordinal);
        Assert.Contains("positive multiple", Refusal(Creation with { SizeBytes = 4097 }), StringComparison.Ordinal);
        Assert.Contains("positive multiple", Refusal(Creation with { SizeMaxBytes = 4096 }), StringComparison.Ordinal);
        Assert.Contains("does not name this member", Refusal(Creation with { Member = 3 }), StringComparison.Ordinal);
        Assert.Contains("does not name this member", Refusal(Creation with { SizeBytes = 1L << 20 }), StringComparison.Ordinal);
    }

    [Fact]
    public void Any_bytes_whatever_are_read_without_an_exception()
    {
        Gen.Byte.Array[0, 400].Sample(bytes =>
        {
            _ = Hello.Read(new WireReader(bytes), out _);
            _ = BoardState.Read(new WireReader(bytes));
            _ = CreateRequest.Read(new WireReader(bytes), out _);
            _ = TableReport.Read(new WireReader(bytes));
        });
    }

    [Fact]
    public void A_damaged_board_state_or_creation_is_read_without_an_exception()
    {
        var state = Body(State(WireGen.SomeView()).WriteTo);
        var creation = Body(Creation.WriteTo);
        Gen.Select(Gen.Int[0, int.MaxValue], Gen.Byte, Gen.Byte).Sample((place, first, second) =>
        {
            foreach (var body in new[] { (byte[])state.Clone(), (byte[])creation.Clone() })
            {
                var at = place % (body.Length - 1);
                body[at] = first;
                body[at + 1] = second;
                _ = BoardState.Read(new WireReader(body));
                _ = CreateRequest.Read(new WireReader(body), out _);
            }
        });
    }

    [Fact]
    public void A_text_longer_than_1024_bytes_is_cut()
    {
        Assert.Equal(1024, new WireReader(Body(w => w.Text(new string('a', 2000)))).Text().Length);
    }

    private static string Refusal(CreateRequest request)
    {
        Assert.Null(CreateRequest.Read(new WireReader(Body(request.WriteTo)), out var wrong));
        return wrong;
    }

    private static void AssertTruncationsRefused(byte[] body, Func<WireReader, bool> isRefused)
    {
        for (var n = 0; n < body.Length; n++)
        {
            Assert.True(isRefused(new WireReader(body[..n])), $"{n} of {body.Length} bytes were taken for the whole");
        }
    }

    private static byte[] Body(Action<WireWriter> write)
    {
        var writer = new WireWriter();
        write(writer);
        return writer.Written.ToArray();
    }
}
