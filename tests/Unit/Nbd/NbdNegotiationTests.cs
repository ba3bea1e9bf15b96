using MirrorController.Tests.Harness;
using MirrorController.HostAgent.Nbd;
using static MirrorController.Tests.Unit.Nbd.NbdClient;

namespace MirrorController.Tests.Unit.Nbd;

public class NbdNegotiationTests
{
    private const uint Unsupported = 0x80000001;
    private const uint Invalid = 0x80000003;
    private const uint Unknown = 0x80000006;
    private const uint TooBig = 0x80000009;

    private static readonly byte[] Tank = "tank"u8.ToArray();

    // Size 64 MiB; HAS_FLAGS, SEND_FLUSH, SEND_FUA, CAN_MULTI_CONN.
    private static readonly byte[] TankFacts = [.. U64(64 << 20), .. U16(0x10d)];

    [Fact]
    public void The_greeting_offers_fixed_newstyle_without_zeroes()
    {
        var bench = new NbdBench();
        Assert.Equal("4E42444D4147494349484156454F50540003", Convert.ToHexString(bench.Connection.Sent));
    }

    [Theory]
    [InlineData(3, 10)]
    [InlineData(2, 10)]
    [InlineData(1, 134)]
    [InlineData(0, 134)]
    public void Export_name_is_answered_with_zeroes_unless_the_client_does_without(uint flags, int length)
    {
        var bench = new NbdBench();
        bench.Give([.. Flags(flags), .. Option(1, Tank)]);
        Assert.Equal([.. TankFacts, .. new byte[length - 10]], bench.Answer);
        bench.Give(Flush(7));
        Assert.Equal(length + NbdSimpleReply.Size, bench.Answer.Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("tank")]
    public void Go_tells_all_that_was_asked_and_begins_the_transmission(string name)
    {
        var bench = new NbdBench();
        bench.Give([.. Flags(3), .. Go(name, 0, 1, 2, 3, 77)]);
        var replies = OptionReplies(bench.Answer);
        Assert.Equal(
            [
                [.. U16(0), .. TankFacts],
                [.. U16(1), .. Tank],
                [.. U16(2), .. "mirrored volume tank"u8],
                [.. U16(3), .. U32(1), .. U32(4096), .. U32(32 << 20)],
                [],
            ],
            replies.Select(r => r.Data));
        Assert.Equal([3u, 3, 3, 3, 1], replies.Select(r => r.Type));
        Assert.All(replies, r => Assert.Equal(7u, r.Option));
        bench.Connection.Forget();
        bench.Give(Flush(7));
        Assert.Equal([(7UL, NbdError.None)], bench.Replies());
    }

    [Fact]
    public void Info_tells_the_same_and_the_options_go_on()
    {
        var bench = new NbdBench();
        bench.Give([.. Flags(3), .. Info("tank"), .. Option(2)]);
        Assert.Equal([.. OptionReply(6, 3, [.. U16(0), .. TankFacts]), .. OptionReply(6, 1), .. OptionReply(2, 1)], bench.Answer);
        Assert.False(bench.Connection.IsOpen);
    }

    [Fact]
    public void List_names_every_export()
    {
        var bench = new NbdBench();
        bench.Server.Export(new MemoryVolume(bench.Loop, "pond", 1));
        bench.Give([.. Flags(3), .. Option(3)]);
        Assert.Equal(
            [
                .. OptionReply(3, 2, [.. U32(4), .. Tank]),
                .. OptionReply(3, 2, [.. U32(4), .. "pond"u8]),
                .. OptionReply(3, 1),
            ],
            bench.Answer);
    }

    [Fact]
    public void The_empty_name_means_nothing_when_there_are_two_exports()
    {
        var bench = new NbdBench();
        bench.Server.Export(new MemoryVolume(bench.Loop, "pond", 1));
        bench.Give([.. Flags(3), .. Go("")]);
        Assert.Equal([(7u, Unknown)], OptionReplies(bench.Answer).Select(r => (r.Option, r.Type)));
    }

    [Fact]
    public void An_export_name_that_does_not_exist_ends_the_session_with_a_sentence()
    {
        var bench = new NbdBench();
        bench.Give([.. Flags(3), .. Option(1, "t\ant"u8.ToArray())]);
        Assert.False(bench.Connection.IsOpen);
        Assert.Equal("The NBD client test is disconnected: it asked for the export 't?nt', which does not exist.", Assert.Single(bench.Log.Warnings));
        Assert.Empty(bench.Answer);
    }

    public static TheoryData<byte[], uint> Refusals => new()
    {
        { Go("lake"), Unknown },
        { Option(7), Invalid },
        { Option(7, U32(100)), Invalid },
        { Option(6, [.. U32(4), .. Tank]), Invalid },
        { Option(6, [.. U32(4), .. Tank, .. U16(2), .. U16(0)]), Invalid },
        { Option(6, [.. U32(4), .. Tank, .. U16(0), .. U16(0)]), Invalid },
        { Option(6, [.. U32(uint.MaxValue), .. U16(0)]), Invalid },
        { Option(3, 1), Invalid },
        { Option(5), Unsupported },
        { Option(8), Unsupported },
        { Option(10, Tank), Unsupported },
        { Option(0xffffffff, new byte[100_000]), Unsupported },
        { Option(3, new byte[100_000]), TooBig },
        { Option(7, new byte[8193]), TooBig },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void A_wrong_or_unknown_option_is_refused_and_the_next_one_understood(byte[] option, uint error)
    {
        var bench = new NbdBench();
        bench.Give([.. Flags(3), .. option, .. Go("tank")]);
        Assert.Equal([error, 3, 1], OptionReplies(bench.Answer).Select(r => r.Type));
        Assert.Empty(bench.Log.Warnings);
    }

    public static TheoryData<byte[]> Breaches => new()
    {
        { Flags(4) },
        { [.. Flags(3), .. new byte[16]] },
        { [.. Flags(3), .. "IHAVEOPT"u8, .. U32(7), .. U32((1 << 20) + 1)] },
        { [.. Flags(3), .. Option(1, new byte[10_000])] },
        { [.. Flags(3), .. Enumerable.Repeat(Option(99), 257).SelectMany(o => o)] },
    };

    [Theory]
    [MemberData(nameof(Breaches))]
    public void A_client_that_breaks_the_handshake_is_disconnected_with_one_sentence(byte[] bytes)
    {
        var bench = new NbdBench();
        bench.Give(bytes);
        Assert.False(bench.Connection.IsOpen);
        Assert.Single(bench.Log.Warnings);
        bench.Connect();
        bench.Go();
    }

    [Fact]
    public void A_client_that_never_chooses_is_disconnected()
    {
        var bench = new NbdBench();
        bench.Give(Flags(3));
        bench.Loop.Advance(29_999);
        Assert.True(bench.Connection.IsOpen);
        bench.Loop.Advance(1);
        Assert.False(bench.Connection.IsOpen);
    }

    [Fact]
    public void A_client_that_has_chosen_may_be_silent()
    {
        var bench = new NbdBench();
        bench.Go();
        bench.Loop.Advance(1_000_000);
        Assert.True(bench.Connection.IsOpen);
    }

    [Fact]
    public void Every_cut_of_the_handshake_is_understood()
    {
        byte[] talk = [.. Flags(3), .. Option(8), .. Option(5, new byte[9000]), .. Info("tank", 3), .. Option(3), .. Go("tank", 1, 3), .. Flush(9)];
        var whole = new NbdBench();
        whole.Give(talk);
        for (var cut = 1; cut < 200; cut++)
        {
            var bench = new NbdBench();
            bench.Give(talk, [.. Enumerable.Repeat(cut, talk.Length)]);
            Assert.Equal(whole.Connection.Sent, bench.Connection.Sent);
            bench.AssertNothingLeaks();
        }
    }
}
