using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

namespace MirrorController.Tests.Unit.Runtime;

/// <summary>What only loops with real threads and sockets promise.</summary>
public abstract class RealLoopContract(LoopBackend backend) : LoopContract(new RealLoopRig(backend))
{
    private RuntimeLoop Real => ((RealLoopRig)Rig).Real;

    [Fact]
    public void Posts_from_other_threads_wake_the_loop_and_none_is_lost()
    {
        const int PerThread = 5000;
        var count = 0;
        var threads = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (var i = 0; i < PerThread; i++)
            {
                Real.Post(() => count++);
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        Rig.RunUntil(() => count == 4 * PerThread);
        threads.ForEach(t => t.Join());
    }

    [Fact]
    public void A_post_wakes_a_loop_that_has_nothing_else_to_wait_for()
    {
        var thread = Real.StartThread("loop under test");
        for (var i = 0; i < 50; i++)
        {
            using var ran = new ManualResetEventSlim();
            Real.Post(ran.Set);
            Assert.True(ran.Wait(30_000, TestContext.Current.CancellationToken));
        }

        Real.Stop();
        Assert.True(thread.Join(30_000));
    }

    [Fact]
    public void Stopping_from_another_thread_ends_the_loop()
    {
        var thread = Real.StartThread("loop under test");
        using var runs = new ManualResetEventSlim();
        Real.Post(runs.Set);
        Assert.True(runs.Wait(30_000, TestContext.Current.CancellationToken));
        Real.Stop();
        Assert.True(thread.Join(30_000));
    }

    [Fact]
    public void What_a_callback_throws_halts_the_loop_and_goes_to_the_fatal_callback()
    {
        Exception? fatal = null;
        using var loop = RuntimeLoop.Create(new LoopOptions { Backend = backend, OnFatal = e => fatal = e });
        var after = false;
        loop.Post(() => throw new InvalidOperationException("a bug"));
        loop.Post(() => after = true);
        loop.Run();
        Assert.Equal("a bug", fatal?.Message);
        Assert.False(after);
    }

    [Fact]
    public void What_a_worker_throws_halts_the_loop()
    {
        Exception? fatal = null;
        using var loop = RuntimeLoop.Create(new LoopOptions { Backend = backend, OnFatal = e => fatal = e });
        using var worker = new Worker(loop, "worker under test");
        worker.Queue(() => throw new InvalidOperationException("a bug"), () => Assert.Fail("finished"));
        loop.Run();
        Assert.Equal("a bug", fatal?.Message);
    }

    [Fact]
    public void A_workers_jobs_run_elsewhere_in_order_and_finish_on_the_loop()
    {
        using var worker = new Worker(Real, "worker under test");
        var seen = new List<int>();
        var test = Environment.CurrentManagedThreadId;
        for (var i = 0; i < 100; i++)
        {
            var job = i;
            worker.Queue(
                () => Assert.NotEqual(test, Environment.CurrentManagedThreadId),
                () =>
                {
                    Assert.Equal(test, Environment.CurrentManagedThreadId);
                    seen.Add(job);
                });
        }

        Rig.RunUntil(() => seen.Count == 100);
        Assert.Equal(Enumerable.Range(0, 100), seen);
    }

    [Fact]
    public void A_host_name_is_looked_up_and_connected_to()
    {
        var server = new RecordingHandler();
        var client = new RecordingHandler();
        var listener = Rig.Network.Listen(new NodeAddress("localhost", 0), _ => server);
        Rig.Network.Connect(listener.Address, client, 20_000);
        Rig.RunUntil(() => client.IsConnected && server.IsConnected);
    }

    [Fact]
    public void Requests_and_replies_in_steady_state_allocate_nothing()
    {
        var server = new Echo();
        var client = new Echo { Limit = 3000 };
        var listener = Rig.Network.Listen(Rig.ListenAddress, _ => server);
        Rig.Network.Connect(listener.Address, client, 20_000);
        Rig.RunUntil(() => client.Count >= 1000);
        var warm = 0L;
        var end = 0L;
        client.At2000 = () => warm = GC.GetAllocatedBytesForCurrentThread();
        client.AtEnd = () => end = GC.GetAllocatedBytesForCurrentThread();
        Rig.RunUntil(() => end != 0);
        // RunUntil's own timer is in it: one object a millisecond; a request of 1000 must not be.
        Assert.True(backend == LoopBackend.Select || end - warm < 1000 * 24, $"{end - warm} bytes for 1000 round trips");
    }

    private sealed class Echo : IConnectionHandler
    {
        public int Limit { get; init; } = int.MaxValue;

        public int Count { get; private set; }

        public Action? At2000 { get; set; }

        public Action? AtEnd { get; set; }

        public void Connected(IConnection connection)
        {
            if (Limit != int.MaxValue)
            {
                connection.Reserve(64).Clear();
            }
        }

        public void Received(IConnection connection, Slice slice)
        {
            Count++;
            if (Count == 2000)
            {
                At2000?.Invoke();
            }

            if (Count < Limit)
            {
                connection.Send(slice);
            }
            else
            {
                AtEnd?.Invoke();
            }
        }

        public void Drained(IConnection connection)
        {
        }

        public void Closed(IConnection connection, string reason)
        {
        }
    }
}
