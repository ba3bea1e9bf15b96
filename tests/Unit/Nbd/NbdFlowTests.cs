using MirrorController.HostAgent.Nbd;
using static MirrorController.Tests.Unit.Nbd.NbdClient;

namespace MirrorController.Tests.Unit.Nbd;

public class NbdFlowTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public void A_client_that_does_not_take_its_replies_gets_no_more_reads_admitted_until_it_does()
    {
        var bench = Going();
        bench.Connection.IsStuck = true;
        byte[] reads = [.. Enumerable.Range(1, 100).SelectMany(i => Read((ulong)i, 0, MiB))];
        bench.Give(reads);
        Assert.Equal(32, Answered(bench));
        Assert.False(bench.Connection.IsReceiving);
        bench.Connection.Unstick();
        bench.Handler.Drained(bench.Connection);
        bench.Loop.Run();
        Assert.True(bench.Connection.IsReceiving);
        Assert.Equal(100, Answered(bench));
        bench.AssertNothingLeaks();
    }

    [Fact]
    public void Reads_in_flight_count_like_unsent_replies()
    {
        var bench = Going();
        bench.Volume.IsHeld = true;
        bench.Give([.. Read(1, 0, 32 * MiB), .. Flush(2)]);
        Assert.Equal(128, bench.Volume.Pending);
        Assert.False(bench.Connection.IsReceiving);
        while (bench.Volume.Pending > 1)
        {
            bench.Volume.EndOne();
        }

        bench.Volume.EndOne();
        Assert.True(bench.Connection.IsReceiving);
        Assert.Equal(1, bench.Volume.Pending);
    }

    [Fact]
    public void A_request_whose_header_was_the_last_that_came_waits_too()
    {
        var bench = Going();
        bench.Connection.IsStuck = true;
        bench.Give(Read(1, 0, 32 * MiB));
        bench.Give(Flush(2));
        Assert.False(bench.Connection.IsReceiving);
        bench.Connection.Forget();
        bench.Connection.Unstick();
        bench.Handler.Drained(bench.Connection);
        bench.Loop.Run();
        Assert.Equal([(2UL, NbdError.None)], bench.Replies());
        Assert.True(bench.Connection.IsReceiving);
    }

    [Fact]
    public void Requests_in_flight_are_bounded()
    {
        var bench = Going();
        bench.Volume.IsHeld = true;
        bench.Give([.. Enumerable.Range(1, 1500).SelectMany(i => Flush((ulong)i))], [.. Enumerable.Repeat(1000, 100)]);
        Assert.Equal(1024, bench.Volume.Pending);
        bench.Volume.EndOne();
        Assert.Equal(1024, bench.Volume.Pending);
        while (bench.Volume.Pending > 0)
        {
            bench.Volume.EndOne();
        }

        Assert.Equal(1500, bench.Replies().Count);
        Assert.True(bench.Connection.IsReceiving);
        bench.AssertNothingLeaks();
    }

    [Fact]
    public void Writes_not_ended_are_bounded_and_a_write_half_received_can_complete()
    {
        var bench = Going();
        bench.Volume.IsHeld = true;
        bench.Give([.. Write(1, 0, new byte[20 * MiB]), .. Write(2, 20 * MiB, new byte[20 * MiB])], 3 * MiB, 20 * MiB);
        Assert.Equal(128, bench.Volume.Pending);
        Assert.False(bench.Connection.IsReceiving);
        bench.Volume.EndOne();
        Assert.Equal(128, bench.Volume.Pending);
        while (bench.Volume.Pending > 0)
        {
            bench.Volume.EndOne();
        }

        Assert.Equal([(1UL, NbdError.None), (2UL, NbdError.None)], bench.Replies());
        Assert.True(bench.Connection.IsReceiving);
        bench.AssertNothingLeaks();
    }

    [Fact]
    public void A_client_that_vanishes_leaves_nothing_behind()
    {
        var bench = Going();
        bench.Volume.IsHeld = true;
        bench.Give([.. Write(1, 0, new byte[MiB]), .. Read(2, 0, MiB), .. Write(3, 0, new byte[MiB])[..^1]]);
        bench.Volume.EndOne(bench.Volume.Pending - 1);
        bench.Volume.EndOne(5);
        bench.Vanish();
        Assert.Equal(0, bench.Server.Connections);
        while (bench.Volume.Pending > 0)
        {
            Assert.Single(bench.Volume.Generators);
            bench.Volume.EndOne();
        }

        Assert.Empty(bench.Volume.Generators);
        Assert.Empty(bench.Connection.Sent);
        bench.AssertNothingLeaks();
    }

    [Fact]
    public void A_client_that_vanishes_while_it_waits_leaves_nothing_behind()
    {
        var bench = Going();
        bench.Volume.IsHeld = true;
        bench.Give([.. Read(1, 0, 32 * MiB), .. Write(2, 0, new byte[MiB])], 100);
        bench.Vanish();
        while (bench.Volume.Pending > 0)
        {
            bench.Volume.EndOne();
        }

        Assert.Empty(bench.Volume.Generators);
        bench.AssertNothingLeaks();
    }

    [Fact]
    public void A_disconnect_request_waits_for_what_is_outstanding()
    {
        var bench = Going();
        bench.Volume.IsHeld = true;
        bench.Give([.. Flush(1), .. Disconnect(), .. Flush(2)]);
        Assert.True(bench.Connection.IsOpen);
        bench.Volume.EndOne();
        Assert.Equal([(1UL, NbdError.None)], bench.Replies());
        Assert.False(bench.Connection.IsOpen);
        Assert.Empty(bench.Log.Warnings);
    }

    [Fact]
    public void A_disconnect_request_waits_until_the_replies_have_left()
    {
        var bench = Going();
        bench.Connection.IsStuck = true;
        bench.Give([.. Flush(1), .. Disconnect()]);
        bench.Loop.Advance(4_000);
        Assert.True(bench.Connection.IsOpen);
        bench.Connection.Unstick();
        bench.Loop.Advance(5);
        Assert.False(bench.Connection.IsOpen);
        Assert.Empty(bench.Log.Warnings);
    }

    [Fact]
    public void A_client_that_does_not_take_its_last_replies_is_not_waited_for_for_ever()
    {
        var bench = Going();
        bench.Connection.IsStuck = true;
        bench.Give([.. Flush(1), .. Disconnect()]);
        bench.Loop.Advance(5_010);
        Assert.False(bench.Connection.IsOpen);
        Assert.Single(bench.Log.Warnings);
    }

    [Fact]
    public void A_stop_answers_what_is_outstanding_and_takes_in_nothing_more()
    {
        var bench = Going();
        var stopped = 0;
        bench.Volume.IsHeld = true;
        bench.Give([.. Flush(1), .. Write(2, 0, new byte[MiB])[..^1]]);
        bench.Server.Stop(() => stopped++);
        bench.Give(Flush(3));
        while (bench.Volume.Pending > 0)
        {
            Assert.True(bench.Connection.IsOpen);
            bench.Volume.EndOne();
        }

        Assert.Equal([(1UL, NbdError.None)], bench.Replies());
        Assert.False(bench.Connection.IsOpen);
        Assert.Equal(0, stopped);
        bench.Vanish();
        Assert.Equal(1, stopped);
        Assert.Empty(bench.Volume.Generators);
        bench.AssertNothingLeaks();
    }

    [Fact]
    public void A_stop_without_clients_is_reported()
    {
        var bench = new NbdBench(connect: false);
        var stopped = 0;
        bench.Server.Stop(() => stopped++);
        Assert.Equal(0, stopped);
        bench.Loop.Run();
        Assert.Equal(1, stopped);
    }

    [Fact]
    public void A_client_too_many_is_turned_away()
    {
        var bench = Going();
        for (var i = 1; i < NbdConstants.ConnectionsMax; i++)
        {
            bench.Connect();
            Assert.True(bench.Connection.IsOpen);
        }

        bench.Connect();
        Assert.False(bench.Connection.IsOpen);
        bench.Vanish();
        Assert.Equal(NbdConstants.ConnectionsMax, bench.Server.Connections);
    }

    private static NbdBench Going()
    {
        var bench = new NbdBench();
        bench.Go();
        return bench;
    }

    private static int Answered(NbdBench bench) => (int)(bench.Connection.SentBytes / (MiB + NbdSimpleReply.Size));
}
