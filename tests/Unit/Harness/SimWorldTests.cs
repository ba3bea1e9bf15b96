using MirrorController.Protocol.Seams;
using MirrorController.Tests.Harness;
using MirrorController.Tests.Unit.Runtime;

namespace MirrorController.Tests.Unit.Harness;

/// <summary>The simulated world: time, nodes' lives, the network's faults.</summary>
public sealed class SimWorldTests
{
    private static readonly NodeAddress _server = new("server", 7);

    [Fact]
    public void The_same_seed_gives_the_same_history()
    {
        var first = History(5);
        Assert.Equal(first, History(5));
        Assert.NotEqual(first, History(6));
        Assert.True(first.Count > 10);
    }

    [Fact]
    public void Time_passes_only_in_the_world()
    {
        var world = new SimWorld(1);
        world.RunFor(3_600_000);
        Assert.Equal(3_600_000_000, world.NowMicros);
    }

    [Fact]
    public void A_clock_that_goes_twice_as_fast_makes_timers_due_in_half_the_time()
    {
        var world = new SimWorld(1);
        var node = new SimNode(world, "board-a", c => new object()) { ClockRate = 2 };
        node.Start();
        long dueMicros = 0;
        node.Post(() => node.Loop!.StartTimer(100, () => dueMicros = world.NowMicros));
        world.RunFor(200);
        Assert.InRange(dueMicros, 50_000, 50_200);
        Assert.InRange(node.Loop!.NowMicros, 399_000, 401_000);
    }

    [Fact]
    public void A_clock_that_jumps_makes_timers_due_at_once()
    {
        var world = new SimWorld(1);
        var node = new SimNode(world, "board-a", c => new object());
        node.Start();
        long dueMicros = 0;
        node.Post(() => node.Loop!.StartTimer(10_000, () => dueMicros = world.NowMicros));
        world.RunFor(100);
        node.Loop!.JumpClock(9_800_000);
        world.RunFor(50);
        Assert.Equal(0, dueMicros);
        world.RunFor(100);
        Assert.InRange(dueMicros, 199_000, 201_000);
    }

    [Fact]
    public void A_node_that_stands_still_does_nothing_until_it_goes_on()
    {
        var world = new SimWorld(1);
        var node = new SimNode(world, "board-a", c => new object());
        node.Start();
        var ran = 0;
        node.Pause();
        node.Post(() => ran++);
        node.Loop!.StartTimer(10, () => ran++);
        world.RunFor(1000);
        Assert.Equal(0, ran);
        node.Resume();
        world.RunFor(1);
        Assert.Equal(2, ran);
    }

    [Fact]
    public void A_way_blocked_in_one_direction_lets_the_other_one_through()
    {
        var world = new SimWorld(1);
        var fabric = world.Fabric;
        fabric.BlockWay("a", "b");
        Assert.True(fabric.IsBlocked("a", "b"));
        Assert.False(fabric.IsBlocked("b", "a"));
        fabric.Heal("b", "a");
        Assert.False(fabric.IsBlocked("a", "b"));
    }

    [Fact]
    public void Waiting_for_what_never_happens_fails_with_seed_and_story()
    {
        var world = new SimWorld(77);
        world.Note("a line of the story");
        var e = Assert.Throws<TimeoutException>(() => world.RunUntil(() => false, 10));
        Assert.Contains("Seed 77", e.Message, StringComparison.Ordinal);
        Assert.Contains("a line of the story", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_callback_throws_reaches_the_test_with_the_nodes_name()
    {
        var world = new SimWorld(1);
        var node = new SimNode(world, "board-a", c => new object());
        node.Start();
        node.Post(() => throw new InvalidOperationException("a bug"));
        var e = Assert.Throws<SimNodeException>(() => world.RunFor(10));
        Assert.Equal("board-a", e.NodeName);
        Assert.Equal("a bug", e.InnerException!.Message);
    }

    [Fact]
    public void A_power_cut_ends_posts_timers_and_async_procedures_of_that_life()
    {
        var world = new SimWorld(1);
        var ran = 0;
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        async Task Procedure()
        {
            await gate.Task;
            ran++;
        }

        var node = new SimNode(world, "n", c => new object());
        node.Start();
        node.Post(() =>
        {
            node.Loop!.StartTimer(5, () => ran++);
            _ = Procedure();
        });
        world.RunFor(1);
        node.Post(() => ran++);
        node.PowerCut();
        node.Start();
        gate.SetResult();
        world.RunFor(100);
        Assert.Equal(0, ran);
        Assert.Equal(2, node.StartCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_node_that_loses_power_closes_its_connections_unless_silently(bool silent)
    {
        var (world, client, server, clientNode, serverNode) = Connected();
        serverNode.PowerCut(silent);
        world.RunFor(5000);
        Assert.Equal(silent ? 0 : 1, client.ClosedCount);
        Assert.Equal(0, server.ClosedCount);

        var again = new RecordingHandler();
        clientNode.Post(() => new SimNetwork(clientNode.Loop!).Connect(_server, again, 1000));
        world.RunFor(500);
        Assert.Equal(silent ? 0 : 1, again.ClosedCount);
        world.RunFor(1000);
        Assert.Equal(["closed"], again.Events);
    }

    [Fact]
    public void A_blocked_way_holds_data_up_and_delivers_them_after_healing()
    {
        var (world, client, server, clientNode, _) = Connected();
        world.Fabric.Block("client", "server");
        clientNode.Post(() => SendBytes(client.Connection!, 50_000));
        world.RunFor(1000);
        Assert.Empty(server.Bytes);
        world.Fabric.HealAll();
        world.RunUntil(() => server.Bytes.Count == 50_000);
        Assert.Equal(Enumerable.Range(0, 50_000).Select(i => (byte)i), server.Bytes);
        Assert.Equal(0, client.ClosedCount + server.ClosedCount);
    }

    [Fact]
    public void A_loud_cut_closes_both_ends_and_a_silent_one_neither()
    {
        var (world, client, server, clientNode, _) = Connected();
        world.Fabric.CutSilent("server", "client");
        clientNode.Post(() => SendBytes(client.Connection!, 10));
        world.RunFor(10_000);
        Assert.Empty(server.Bytes);
        Assert.Equal(0, client.ClosedCount + server.ClosedCount);
        world.Fabric.CutLoud("client", "server");
        world.RunFor(10);
        Assert.Equal(1, client.ClosedCount);
        Assert.Equal(1, server.ClosedCount);
    }

    [Fact]
    public void Streams_are_cut_at_any_byte_also_into_single_ones()
    {
        var lengths = new HashSet<int>();
        for (ulong seed = 1; seed <= 40; seed++)
        {
            var (world, client, server, clientNode, _) = Connected(seed);
            server.OnReceived = (_, s) => lengths.Add(s.Length);
            clientNode.Post(() => SendBytes(client.Connection!, 100));
            world.RunUntil(() => server.Bytes.Count == 100);
            Assert.Equal(Enumerable.Range(0, 100).Select(i => (byte)i), server.Bytes);
        }

        Assert.Contains(1, lengths);
        Assert.Contains(100, lengths);
        Assert.True(lengths.Count > 20);
    }

    [Fact]
    public void A_lent_slice_that_was_not_kept_is_overwritten()
    {
        var (world, client, server, clientNode, _) = Connected();
        Slice lent = default;
        server.OnReceived = (_, s) => lent = s;
        clientNode.Post(() => SendBytes(client.Connection!, 1));
        world.RunUntil(() => server.Bytes.Count == 1);
        Assert.Equal(0xDD, lent.Span[0]);
    }

    private static (SimWorld World, RecordingHandler Client, RecordingHandler Server, SimNode ClientNode, SimNode ServerNode) Connected(ulong seed = 3)
    {
        var world = new SimWorld(seed);
        var client = new RecordingHandler();
        var server = new RecordingHandler();
        var serverNode = new SimNode(world, "server", c => c.Network.Listen(_server, _ => server));
        var clientNode = new SimNode(world, "client", c => c.Network.Connect(_server, client, 1000));
        serverNode.Start();
        clientNode.Start();
        world.RunUntil(() => client.IsConnected && server.IsConnected);
        return (world, client, server, clientNode, serverNode);
    }

    private static IReadOnlyList<string> History(ulong seed)
    {
        var (world, client, server, clientNode, _) = Connected(seed);
        server.OnReceived = (c, s) =>
        {
            world.Note($"got {s.Length}");
            c.Send(s);
        };
        client.OnReceived = (_, s) => world.Note($"back {s.Length}");
        for (var i = 0; i < 5; i++)
        {
            clientNode.Post(() => SendBytes(client.Connection!, 1000));
            world.RunFor(2);
        }

        return world.Log;
    }

    private static void SendBytes(IConnection connection, int count)
    {
        var slice = Slice.Copy([.. Enumerable.Range(0, count).Select(i => (byte)i)]);
        connection.Send(slice);
        slice.Release();
    }
}
