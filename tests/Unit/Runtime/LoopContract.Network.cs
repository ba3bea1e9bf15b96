using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Unit.Runtime;

/// <content>Connections.</content>
public abstract partial class LoopContract
{
    private const long TimeoutMs = 20_000;

    private readonly RecordingHandler _client = new();
    private readonly RecordingHandler _server = new();

    [Fact]
    public void Both_ends_are_told_that_they_are_connected_before_anything_else()
    {
        ConnectBoth();
        Assert.Equal(["connected"], _client.Events);
        Assert.Equal(["connected"], _server.Events);
        Assert.True(_client.Connection!.IsOpen);
        Assert.True(_server.Connection!.IsOpen);
        Assert.NotEqual("", _client.Connection.Peer);
    }

    [Fact]
    public void Reserved_bytes_and_slices_arrive_in_the_order_in_which_they_were_queued()
    {
        ConnectBoth();
        Loop.Post(() =>
        {
            var c = _client.Connection!;
            c.Reserve(2).Fill(1);
            var slice = Slice.Copy([2, 2, 2]);
            c.Send(slice);
            slice.Release();
            c.Reserve(1).Fill(3);
            c.Reserve(1).Fill(4);
            Assert.Equal(7, c.QueuedBytes);
        });
        Rig.RunUntil(() => _server.Bytes.Count == 7);
        Assert.Equal([1, 1, 2, 2, 2, 3, 4], _server.Bytes);
        Assert.Equal(0, _client.Connection!.QueuedBytes);
    }

    [Fact]
    public void A_reserved_span_may_be_filled_until_the_turn_ends()
    {
        ConnectBoth();
        Loop.Post(() =>
        {
            var c = _client.Connection!;
            c.Reserve(1).Fill(1);
            Loop.Post(() =>
            {
                Assert.Equal(1, c.QueuedBytes);
                c.Reserve(1).Fill(2);
                Assert.Equal(2, c.QueuedBytes);
            });
        });
        Rig.RunUntil(() => _server.Bytes.Count == 2);
        Assert.Equal([1, 2], _server.Bytes);
    }

    [Fact]
    public void The_connection_holds_a_sent_slice_until_the_system_has_it()
    {
        ConnectBoth();
        var slice = Slice.Copy([9]);
        Loop.Post(() =>
        {
            _client.Connection!.Send(slice);
            Assert.Equal(2, slice.Chunk.References);
        });
        Rig.RunUntil(() => _server.Bytes.Count == 1);
        Assert.Equal(1, slice.Chunk.References);
    }

    [Fact]
    public void A_received_slice_that_is_kept_stays_unchanged()
    {
        ConnectBoth();
        var kept = new List<Slice>();
        _server.OnReceived = (_, slice) =>
        {
            slice.AddReference();
            kept.Add(slice);
        };
        for (var round = 0; round < 40; round++)
        {
            var value = (byte)round;
            Loop.Post(() => SendFilled(_client.Connection!, 10_000, value));
            Rig.RunUntil(() => _server.Bytes.Count == 10_000 * (value + 1));
        }

        var all = kept.SelectMany(s => s.Span.ToArray()).ToArray();
        for (var i = 0; i < all.Length; i++)
        {
            Assert.Equal((byte)(i / 10_000), all[i]);
        }

        kept.ForEach(s => s.Release());
    }

    [Fact]
    public void Large_transfers_both_ways_arrive_whole_and_each_sender_hears_when_it_has_drained()
    {
        ConnectBoth();
        const int Size = 8 * 1024 * 1024;
        var clientIn = new PatternCheck(1);
        var serverIn = new PatternCheck(2);
        _client.OnReceived = (_, s) => clientIn.Take(s.Span);
        _server.OnReceived = (_, s) => serverIn.Take(s.Span);
        Loop.Post(() =>
        {
            PatternCheck.Send(_client.Connection!, Size, 2);
            PatternCheck.Send(_server.Connection!, Size, 1);
            Assert.Equal(Size, _client.Connection!.QueuedBytes);
        });
        Rig.RunUntil(() => clientIn.Count == Size && serverIn.Count == Size && _client.DrainedCount + _server.DrainedCount == 2);
        Assert.Equal(1, _client.DrainedCount);
        Assert.Equal(1, _server.DrainedCount);
    }

    [Fact]
    public void A_reader_that_pauses_holds_up_the_sender_and_loses_nothing()
    {
        ConnectBoth();
        const int Size = 32 * 1024 * 1024;
        var check = new PatternCheck(5);
        _server.OnReceived = (c, s) =>
        {
            check.Take(s.Span);
            c.SetReceiving(false);
            Loop.StartTimer(0, () => c.SetReceiving(true));
        };
        Loop.Post(() =>
        {
            _server.Connection!.SetReceiving(false);
            PatternCheck.Send(_client.Connection!, Size, 5);
        });
        var waited = false;
        Loop.StartTimer(50, () => waited = true);
        Rig.RunUntil(() => waited);
        Assert.Equal(0, check.Count);
        Assert.True(_client.Connection!.QueuedBytes > 0);
        Assert.Equal(0, _client.DrainedCount);

        Loop.Post(() => _server.Connection!.SetReceiving(true));
        Rig.RunUntil(() => check.Count == Size && _client.DrainedCount == 1);
    }

    [Fact]
    public void Small_sends_are_not_reported_as_drained()
    {
        ConnectBoth();
        Loop.Post(() => SendFilled(_client.Connection!, 1000, 1));
        Rig.RunUntil(() => _server.Bytes.Count == 1000);
        Assert.Equal(0, _client.DrainedCount);
    }

    [Fact]
    public void Closing_ends_both_ends_once_and_not_inside_the_call()
    {
        ConnectBoth();
        Loop.Post(() =>
        {
            _client.Connection!.Close("The test is over.");
            _client.Connection.Close("Again.");
            Assert.Equal(0, _client.ClosedCount);
            Assert.False(_client.Connection.IsOpen);
        });
        Rig.RunUntil(() => _client.ClosedCount == 1 && _server.ClosedCount == 1);
        Assert.Equal("The test is over.", _client.Reason);
        RunOn(20);
        Assert.Equal(1, _client.ClosedCount);
        Assert.Equal(1, _server.ClosedCount);
    }

    [Fact]
    public void What_was_queued_before_closing_still_arrives()
    {
        ConnectBoth();
        Loop.Post(() =>
        {
            _server.Connection!.Reserve(3).Fill(7);
            _server.Connection.Close("Refused.");
        });
        Rig.RunUntil(() => _client.ClosedCount == 1);
        Assert.Equal([7, 7, 7], _client.Bytes);
    }

    [Fact]
    public void A_refusal_arrives_even_when_the_refused_has_sent_more()
    {
        ConnectBoth();
        _server.OnReceived = (c, _) =>
        {
            c.Reserve(1).Fill(7);
            c.Close("Refused.");
        };
        Loop.Post(() => SendFilled(_client.Connection!, 100_000, 1));
        Rig.RunUntil(() => _client.ClosedCount == 1);
        Assert.Equal([7], _client.Bytes);
    }

    [Fact]
    public void Nothing_is_received_after_closing()
    {
        ConnectBoth();
        _server.OnReceived = (c, _) =>
        {
            c.Close("Enough.");
            _server.OnReceived = (_, _) => Assert.Fail("received after closing");
        };
        Loop.Post(() => SendFilled(_client.Connection!, 2_000_000, 1));
        Rig.RunUntil(() => _server.ClosedCount == 1 && _client.ClosedCount == 1);
    }

    [Fact]
    public void A_closed_connection_takes_and_keeps_nothing()
    {
        ConnectBoth();
        var slice = Slice.Copy([1, 2, 3]);
        Loop.Post(() =>
        {
            var c = _client.Connection!;
            c.Close("The test is over.");
            c.Send(slice);
            c.Reserve(10).Fill(1);
            Assert.Equal(1, slice.Chunk.References);
        });
        Rig.RunUntil(() => _client.ClosedCount == 1 && _server.ClosedCount == 1);
        Assert.Empty(_server.Bytes);
        _client.Connection!.Send(slice);
        Assert.Equal(0, _client.Connection.QueuedBytes);
        Assert.Equal(1, slice.Chunk.References);
    }

    [Fact]
    public void A_connection_that_nobody_answers_to_ends_after_its_time()
    {
        var address = Rig.SilentAddress();
        var start = Loop.NowMicros;
        Loop.Post(() => Rig.Network.Connect(address, _client, 50));
        Rig.RunUntil(() => _client.ClosedCount == 1);
        Assert.Equal(["closed"], _client.Events);
        Assert.True(Loop.NowMicros - start >= 50_000);
        Assert.Contains("50 ms", _client.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_refused_connection_is_reported_as_closed()
    {
        var address = Rig.NobodysAddress;
        var connection = Rig.Network.Connect(address, _client, TimeoutMs);
        Assert.Equal(0, _client.ClosedCount);
        Rig.RunUntil(() => _client.ClosedCount == 1);
        Assert.Equal(["closed"], _client.Events);
        Assert.False(connection.IsOpen);
    }

    [Fact]
    public void A_connection_closed_while_connecting_is_never_connected()
    {
        var address = Rig.SilentAddress();
        Loop.Post(() => Rig.Network.Connect(address, _client, TimeoutMs).Close("Changed my mind."));
        Rig.RunUntil(() => _client.ClosedCount == 1);
        Assert.Equal(["closed"], _client.Events);
        Assert.Equal("Changed my mind.", _client.Reason);
    }

    [Fact]
    public void A_closed_listener_takes_no_more_connections_and_leaves_the_old_ones()
    {
        var listener = ConnectBoth();
        Loop.Post(listener.Close);
        var late = new RecordingHandler();
        Loop.Post(() => Rig.Network.Connect(listener.Address, late, TimeoutMs));
        Rig.RunUntil(() => late.ClosedCount == 1);
        Loop.Post(() => SendFilled(_client.Connection!, 5, 1));
        Rig.RunUntil(() => _server.Bytes.Count == 5);
    }

    [Fact]
    public void An_address_in_use_is_refused_with_one_sentence()
    {
        var listener = ConnectBoth();
        var e = Assert.Throws<IOException>(() => Rig.Network.Listen(listener.Address, _ => new RecordingHandler()));
        Assert.Contains(listener.Address.ToString(), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whoever_posts_from_a_handler_runs_before_anything_queued_is_sent()
    {
        ConnectBoth();
        _server.OnReceived = (c, _) =>
        {
            c.Reserve(1).Fill(1);
            Loop.Post(() =>
            {
                Assert.Equal(1, c.QueuedBytes);
                c.Reserve(1).Fill(2);
            });
        };
        Loop.Post(() => SendFilled(_client.Connection!, 1, 1));
        Rig.RunUntil(() => _client.Bytes.Count >= 2);
        Assert.Equal(2, _client.Bytes[1]);
    }

    protected static void SendFilled(IConnection connection, int count, byte value)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var bytes = new byte[count];
        System.Array.Fill(bytes, value);
        var slice = Slice.Copy(bytes);
        connection.Send(slice);
        slice.Release();
    }

    protected IListener ConnectBoth()
    {
        var listener = Rig.Network.Listen(Rig.ListenAddress, _ => _server);
        Rig.Network.Connect(listener.Address, _client, TimeoutMs);
        Rig.RunUntil(() => _client.IsConnected && _server.IsConnected);
        return listener;
    }

    private void RunOn(long ms)
    {
        var over = false;
        Loop.StartTimer(ms, () => over = true);
        Rig.RunUntil(() => over);
    }
}
