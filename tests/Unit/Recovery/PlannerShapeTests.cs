using CsCheck;
using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Recovery;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;
using static MirrorController.Tests.Unit.Recovery.Tables;

namespace MirrorController.Tests.Unit.Recovery;

/// <summary>How the plan is cut into steps, and what the planner refuses.</summary>
public sealed class PlannerShapeTests
{
    [Fact]
    public void A_step_is_at_most_256_KiB()
    {
        var plan = Plan(Member(0, Sure(4, 100, 150)), Member(1));
        Assert.Equal([new BlockRange(100, 64), new BlockRange(164, 64), new BlockRange(228, 22)], plan.Steps.Select(s => s.Range));
        Assert.Equal(150, plan.PlannedBlocks);

        var small = RecoveryPlanner.Plan([Member(0, Sure(4, 0, 1000)), Member(1)], Session, 512);
        Assert.Equal([512, 488], small.Steps.Select(s => s.Range.Count));
    }

    [Fact]
    public void Neighbours_with_one_source_are_joined_and_keep_both_versions_for_the_log()
    {
        var plan = Plan(Member(0, Sure(4, 10, 4), Sure(7, 14, 2), Sure(5, 12, 3)), Member(1));
        Assert.Equal([new CopyStep(new BlockRange(10, 6), 0, MemberSet.Of(1), T(4), T(7))], plan.Steps);
    }

    [Fact]
    public void Neighbours_with_other_sources_are_not_joined()
    {
        var plan = Plan(Member(0, Sure(4, 10, 2)), Member(1, Sure(5, 12, 2)), Member(2, Sure(4, 10, 2)));
        Assert.Equal(
            [
                new CopyStep(new BlockRange(10, 2), 0, MemberSet.Of(1, 2), T(4), T(4)),
                new CopyStep(new BlockRange(12, 2), 1, MemberSet.Of(0, 2), T(5), T(5)),
            ],
            plan.Steps);
        Assert.Equal([new BlockRange(10, 4)], plan.CoveredRanges);
    }

    [Fact]
    public void A_step_does_not_reach_over_a_block_that_needs_no_copy()
    {
        var plan = Plan(Member(0, Sure(4, 10, 5)), Member(1, Sure(4, 12, 1)));
        Assert.Equal([new BlockRange(10, 2), new BlockRange(13, 2)], plan.Steps.Select(s => s.Range));
        Assert.Equal([new BlockRange(10, 5)], plan.CoveredRanges);
    }

    [Fact]
    public void The_order_of_members_and_entries_changes_nothing()
    {
        MemberTable[] members =
        [
            Member(0, Sure(4, 10, 8), Unsure(6, 12, 8), Sure(7, 3, 4), Unsure(9, 30, 2)),
            Member(1, Sure(5, 0, 20), Unsure(9, 30, 2)),
            Member(2, Unsure(8, 15, 3)),
        ];
        MemberTable[] reversed = [.. members.Reverse().Select(m => Member(m.Member, 0, [.. m.Entries.Reverse()]))];
        var a = Plan(members);
        var b = Plan(reversed);
        Assert.Equal(a.Steps, b.Steps);
        Assert.Equal(a.CoveredRanges, b.CoveredRanges);
        Assert.Equal([1, 0, 1, 2], a.Steps.Select(s => s.Source));
    }

    [Fact]
    public void The_work_does_not_grow_with_the_blocks_that_an_entry_covers()
    {
        // Each entry covers 2^30 blocks. A loop over blocks would not end in the time of a test run; no steps, so nothing is cut.
        MemberTable[] members = [.. Enumerable.Range(0, 5).Select(m => Member(m, [.. Enumerable.Range(0, 2000)
            .Select(i => Sure((ulong)i + 1, i * (1L << 29), 1 << 30))]))];
        var plan = Plan(members);
        Assert.Empty(plan.Steps);
        Assert.Equal(2001L << 29, plan.CoveredRanges.Sum(r => (long)r.Count));
    }

    [Fact]
    public void Five_full_tables_are_planned_with_few_allocations()
    {
        MemberTable[] members = [.. Enumerable.Range(0, 5).Select(m => Member(m, [.. Enumerable.Range(0, 2000)
            .Select(i => Sure((ulong)i + 1, (i * 7919L % 4000) + m, 8))]))];
        var plan = Plan(members);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(plan.Steps, Plan(members).Steps);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 << 20);
    }

    [Fact]
    public void Misuse_is_refused()
    {
        Assert.ThrowsAny<ArgumentException>(() => Plan());
        Assert.ThrowsAny<ArgumentException>(() => Plan(Member(1), Member(1)));
        Assert.ThrowsAny<ArgumentException>(() => Plan(Member(16)));
        Assert.ThrowsAny<ArgumentException>(() => Plan(Member(0, Sure(1, 0, 0))));
        Assert.ThrowsAny<ArgumentException>(() => Plan(Member(0, Sure(1, -1, 2))));
        Assert.ThrowsAny<ArgumentException>(() => Plan(Member(0, Sure(1, long.MaxValue, 2))));
        Assert.ThrowsAny<ArgumentException>(() => RecoveryPlanner.Plan([Member(0)], Session, 256));
    }
}
