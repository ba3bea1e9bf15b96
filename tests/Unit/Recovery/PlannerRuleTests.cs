using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Recovery;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;
using static MirrorController.Tests.Unit.Recovery.Tables;

namespace MirrorController.Tests.Unit.Recovery;

/// <summary>Rules R1 and R2, clause by clause.</summary>
public sealed class PlannerRuleTests
{
    private static readonly BlockRange Block10 = new(10, 1);

    [Fact]
    public void Nothing_in_the_tables_plans_nothing()
    {
        var plan = Plan(Member(0), Member(1));
        Assert.Empty(plan.Steps);
        Assert.Empty(plan.CoveredRanges);
        Assert.Empty(plan.BadRanges);
        Assert.Equal(0, plan.PlannedBlocks);
    }

    [Fact]
    public void R1_a_write_retired_on_one_member_needs_no_copy_on_another()
    {
        var plan = Plan(Member(0, 5, []), Member(1, 3, [Unsure(4, 10), Unsure(5, 20), Unsure(6, 30)]));
        Assert.Equal([new BlockRange(30, 1)], plan.CoveredRanges);
        Assert.Equal(T(5), plan.HighestRetired);
    }

    [Fact]
    public void R1_a_retired_write_gives_no_version()
    {
        // Counted, the retired tag 4 would make member 1 the source.
        var plan = Plan(Member(0, 5, []), Member(1, 3, [Sure(4, 10)]), Member(2, 3, [Unsure(6, 10)]));
        var step = Assert.Single(plan.Steps);
        Assert.Equal(0, step.Source);
        Assert.Equal(Tag.None, step.NewestVersion);
    }

    [Fact]
    public void R1_entries_of_the_reconciling_session_are_left_alone()
    {
        var own = new RecoveryEntry(Tag.Of(Session, 1), Block10, Sure: false);
        Assert.Empty(Plan(Member(0, own), Member(1)).CoveredRanges);
        var older = new RecoveryEntry(Tag.Of(Session - 1, 1), Block10, Sure: false);
        Assert.Equal([Block10], Plan(Member(0, older), Member(1)).CoveredRanges);
    }

    [Fact]
    public void R2_the_source_is_the_exact_member_with_the_newest_tag()
    {
        var plan = Plan(Member(0, Sure(4, 10)), Member(1, Sure(4, 10), Sure(6, 10)), Member(2, Sure(5, 10)));
        AssertStep(plan, Block10, source: 1, MemberSet.Of(0, 2), version: 6);
    }

    [Fact]
    public void R2_a_member_without_an_entry_is_exact_with_the_lowest_version()
    {
        AssertStep(Plan(Member(0), Member(1, Sure(4, 10))), Block10, source: 1, MemberSet.Of(0), version: 4);
        AssertStep(Plan(Member(0), Member(1, Unsure(4, 10))), Block10, source: 0, MemberSet.Of(1), version: 0);
    }

    [Fact]
    public void R2_an_unsure_newest_entry_makes_no_source_however_new()
    {
        AssertStep(Plan(Member(0, Sure(4, 10)), Member(1, Sure(4, 10), Unsure(9, 10))), Block10, source: 0, MemberSet.Of(1), version: 4);
    }

    [Fact]
    public void R2_an_older_unsure_entry_under_a_sure_newest_one_does_not_matter()
    {
        AssertStep(Plan(Member(0), Member(1, Unsure(4, 10), Sure(9, 10))), Block10, source: 1, MemberSet.Of(0), version: 9);
    }

    [Fact]
    public void R2_a_repair_mark_makes_no_source()
    {
        var plan = Plan(Member(0, 0, [Sure(9, 10)], marks: [Block10]), Member(1, Sure(4, 10)));
        AssertStep(plan, Block10, source: 1, MemberSet.Of(0), version: 4);
    }

    [Fact]
    public void R2_a_repair_mark_alone_is_planned_for()
    {
        var plan = Plan(Member(0), Member(1, 0, [], marks: [new BlockRange(40, 3)]));
        AssertStep(plan, new BlockRange(40, 3), source: 0, MemberSet.Of(1), version: 0);
        Assert.Equal(3, plan.PlannedBlocks);
    }

    [Fact]
    public void R2_a_member_that_cannot_read_is_no_source_but_a_target()
    {
        var plan = Plan(Member(0, 0, [Sure(9, 10)], unreadable: [Block10]), Member(1, Sure(4, 10)));
        AssertStep(plan, Block10, source: 1, MemberSet.Of(0), version: 4);
    }

    [Fact]
    public void R2_unreadable_blocks_that_nothing_covers_are_not_planned_for()
    {
        var plan = Plan(Member(0, 0, [], unreadable: [Block10]), Member(1));
        Assert.Empty(plan.CoveredRanges);
        Assert.Empty(plan.Steps);
    }

    [Fact]
    public void R2_with_equal_versions_that_are_all_exact_nothing_is_copied_but_the_block_is_closed()
    {
        var plan = Plan(Member(0, Sure(4, 10)), Member(1, Sure(4, 10)));
        Assert.Empty(plan.Steps);
        Assert.Equal(0, plan.PlannedBlocks);
        Assert.Equal([Block10], plan.CoveredRanges);
    }

    [Fact]
    public void R2_equal_versions_of_which_one_is_not_exact_are_copied()
    {
        AssertStep(Plan(Member(0, Unsure(4, 10)), Member(1, Sure(4, 10))), Block10, source: 1, MemberSet.Of(0), version: 4);
    }

    [Fact]
    public void R2_with_none_exact_one_that_can_read_is_taken_whatever_the_order_of_the_answers()
    {
        var a = Member(0, Unsure(4, 10));
        var b = Member(1, Unsure(6, 10));
        AssertStep(Plan(a, b), Block10, source: 0, MemberSet.Of(1), version: 4);
        AssertStep(Plan(b, a), Block10, source: 0, MemberSet.Of(1), version: 4);
        var blind = Member(0, 0, [Unsure(4, 10)], unreadable: [Block10]);
        AssertStep(Plan(blind, b), Block10, source: 1, MemberSet.Of(0), version: 6);
    }

    [Fact]
    public void R2_with_none_exact_a_repeated_plan_keeps_the_source()
    {
        // The first attempt took member 1, because 0 could not read. Its target has a mark by now, and reads again.
        var again = Plan(Member(0, 0, [Unsure(4, 10)], marks: [Block10]), Member(1, Unsure(4, 10)));
        AssertStep(again, Block10, source: 1, MemberSet.Of(0), version: 4);
    }

    [Fact]
    public void R2_with_none_able_to_read_the_block_is_bad_and_closed_and_not_copied()
    {
        var plan = Plan(
            Member(0, 0, [Sure(4, 10, 4)], unreadable: [new BlockRange(9, 3)]),
            Member(1, 0, [Unsure(4, 10, 4)], unreadable: [new BlockRange(11, 2)]));
        Assert.Equal([new BlockRange(11, 1)], plan.BadRanges);
        Assert.Equal([new BlockRange(10, 4)], plan.CoveredRanges);
        Assert.Equal(
            [
                new CopyStep(new BlockRange(10, 1), 1, MemberSet.Of(0), T(4), T(4)),
                new CopyStep(new BlockRange(12, 2), 0, MemberSet.Of(1), T(4), T(4)),
            ],
            plan.Steps);
        Assert.Equal(3, plan.PlannedBlocks);
    }

    [Fact]
    public void R6_what_was_opened_stays_out_of_a_later_plan()
    {
        MemberTable[] members = [Member(0, Sure(4, 10, 8)), Member(1)];
        var plan = RecoveryPlanner.Plan(members, Session, BlockBytes, RangeSet.From([new BlockRange(8, 4), new BlockRange(16, 10)]));
        Assert.Equal([new BlockRange(10, 2), new BlockRange(16, 2)], plan.CoveredRanges);
        Assert.Equal(plan.CoveredRanges, plan.Steps.Select(s => s.Range));
    }

    [Fact]
    public void A_lone_member_copies_nothing_and_closes_what_is_covered()
    {
        var plan = Plan(Member(3, Unsure(4, 10)));
        Assert.Empty(plan.Steps);
        Assert.Equal([Block10], plan.CoveredRanges);
    }

    [Fact]
    public void S2_equal_tags_do_not_mean_equal_data()
    {
        // Both boards stored tag 4; board 0 lost power before its disk had the data. The tables match, the disks do not.
        var plan = Plan(Member(0, Unsure(4, 10)), Member(1, Sure(4, 10)));
        Assert.Equal(1, Assert.Single(plan.Steps).Source);
    }

    [Fact]
    public void S4_the_owner_of_an_unmatched_entry_is_not_the_source_if_it_may_lack_the_data()
    {
        // Board 0 alone has an entry for tag 4 and lost the data with its power: a copy from it could spread a torn block.
        Assert.Equal(1, Assert.Single(Plan(Member(0, Unsure(4, 10)), Member(1)).Steps).Source);
    }

    [Fact]
    public void S4_the_owner_of_an_unmatched_entry_is_not_the_source_if_the_peer_has_a_later_write()
    {
        // Board 0 alone has tag 4, board 1 alone has 6, which was written over it. Copying 'from the owner', entry by entry,
        // ends with whichever entry came last.
        var plan = Plan(Member(0, Sure(4, 10)), Member(1, Sure(6, 10)));
        AssertStep(plan, Block10, source: 1, MemberSet.Of(0), version: 6);
    }

    private static void AssertStep(CopyPlan plan, BlockRange range, int source, MemberSet targets, ulong version)
    {
        var tag = version == 0 ? Tag.None : T(version);
        Assert.Equal([new CopyStep(range, source, targets, tag, tag)], plan.Steps);
        Assert.Equal([range], plan.CoveredRanges);
        Assert.Empty(plan.BadRanges);
    }
}
