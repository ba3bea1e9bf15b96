using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Unit.Runtime;

/// <summary>What every loop promises, whatever stands behind it.</summary>
public abstract partial class LoopContract : IDisposable
{
    protected LoopContract(LoopRig rig) => Rig = rig;

    protected LoopRig Rig { get; }

    private ILoop Loop => Rig.Loop;

    public void Dispose()
    {
        Rig.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void A_posted_action_never_runs_inside_the_call_and_actions_keep_their_order()
    {
        var seen = new List<int>();
        Loop.Post(() =>
        {
            Loop.Post(() => seen.Add(2));
            Loop.Post(() => seen.Add(3));
            seen.Add(1);
        });
        Assert.Empty(seen);
        Rig.RunUntil(() => seen.Count == 3);
        Assert.Equal([1, 2, 3], seen);
    }

    [Fact]
    public void What_a_posted_action_posts_runs_before_a_timer_that_is_due()
    {
        var seen = new List<string>();
        Loop.Post(() =>
        {
            Loop.StartTimer(0, () => seen.Add("timer"));
            Loop.Post(() => Loop.Post(() => Loop.Post(() => seen.Add("posted"))));
        });
        Rig.RunUntil(() => seen.Count == 2);
        Assert.Equal(["posted", "timer"], seen);
    }

    [Fact]
    public void Timers_run_in_the_order_in_which_they_are_due_and_not_before()
    {
        var seen = new List<int>();
        var start = Loop.NowMicros;
        foreach (var delayMs in new[] { 30, 10, 20, 0 })
        {
            Loop.StartTimer(delayMs, () =>
            {
                Assert.True(Loop.NowMicros - start >= delayMs * 1000);
                seen.Add(delayMs);
            });
        }

        Rig.RunUntil(() => seen.Count == 4);
        Assert.Equal([0, 10, 20, 30], seen);
    }

    [Fact]
    public void A_cancelled_timer_does_not_run_even_when_it_is_due_in_the_same_turn()
    {
        var ran = false;
        var over = false;
        ILoopTimer? victim = null;
        Loop.Post(() =>
        {
            Loop.StartTimer(5, () => victim!.Cancel());
            victim = Loop.StartTimer(5, () => ran = true);
            Loop.StartTimer(6, () => over = true).Cancel();
            Loop.StartTimer(20, () => over = true);
        });
        Rig.RunUntil(() => over);
        Assert.False(ran);
        victim!.Cancel();
    }

    [Fact]
    public void Many_timers_started_and_cancelled_at_random_run_in_order()
    {
        var seen = new List<int>();
        var cancelled = new HashSet<int>();
        var timers = new List<(int Due, ILoopTimer Timer)>();
        for (var i = 0; i < 500; i++)
        {
            // Far enough apart that a machine under load cannot swap them while it starts them one after the other.
            var due = i * 7919 % 8 * 40;
            timers.Add((due, Loop.StartTimer(due, () => seen.Add(due))));
        }

        for (var i = 0; i < 500; i += 3)
        {
            timers[i].Timer.Cancel();
            cancelled.Add(i);
        }

        Rig.RunUntil(() => seen.Count == 500 - cancelled.Count);
        Assert.Equal(seen.Order(), seen);
    }

    [Fact]
    public void The_continuation_of_an_async_procedure_comes_back_through_the_loop()
    {
        var reply = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var seen = new List<string>();
        var thread = 0;
        async Task Procedure()
        {
            seen.Add("begin");
            await reply.Task;
            Assert.Equal(thread, Environment.CurrentManagedThreadId);
            seen.Add("end");
        }

        Loop.Post(() =>
        {
            thread = Environment.CurrentManagedThreadId;
            _ = Procedure();
            reply.SetResult();
            seen.Add("set");
        });
        Rig.RunUntil(() => seen.Count == 3);
        Assert.Equal(["begin", "set", "end"], seen);
    }
}
