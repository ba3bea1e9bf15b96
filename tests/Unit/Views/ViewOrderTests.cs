using MirrorController.Protocol.Views;

namespace MirrorController.Tests.Unit.Views;

/// <summary>Rules O3 and O4 in unanimous mode.</summary>
public sealed class ViewOrderTests
{
    private static readonly View Root = View.First(new SessionId(1, 1), 100, MemberSet.Range(2), 4096);

    [Fact]
    public void All_members_with_one_view_decide()
    {
        var judgement = ViewOrder.JudgeUnanimous([new(0, Root), new(1, Root)]);
        Assert.Equal(ViewJudgementKind.Decided, judgement.Kind);
        Assert.Same(Root, judgement.View);
    }

    [Fact]
    public void An_in_sync_member_that_has_not_answered_is_waited_for()
    {
        var judgement = ViewOrder.JudgeUnanimous([new(1, Root)]);
        Assert.Equal(ViewJudgementKind.NeedMore, judgement.Kind);
        Assert.Equal(MemberSet.Of(0), judgement.Missing);
        Assert.Contains("{0}", judgement.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_answering_decides_nothing()
    {
        Assert.Equal(ViewJudgementKind.NeedMore, ViewOrder.JudgeUnanimous([]).Kind);
    }

    [Fact]
    public void The_newest_view_decides_and_its_ancestor_does_not_matter()
    {
        var newer = Root.Next(new SessionId(1, 1), 101, MemberSet.Of(1));
        foreach (var found in new FoundView[][] { [new(0, Root), new(1, newer)], [new(1, newer), new(0, Root)], [new(1, newer)] })
        {
            var judgement = ViewOrder.JudgeUnanimous(found);
            Assert.Equal(ViewJudgementKind.Decided, judgement.Kind);
            Assert.Same(newer, judgement.View);
        }
    }

    [Fact]
    public void A_stale_member_alone_waits_for_the_one_its_view_names()
    {
        // It cannot know that it was given up: its own view says that both are in sync, and that is what keeps it from opening.
        Assert.Equal(ViewJudgementKind.NeedMore, ViewOrder.JudgeUnanimous([new(0, Root)]).Kind);
    }

    [Fact]
    public void A_later_session_is_newer_whatever_the_counters()
    {
        var longer = Root.Next(new SessionId(1, 1), 101, MemberSet.Of(0)).Next(new SessionId(1, 1), 102, MemberSet.Range(2));
        var later = Root.Next(new SessionId(2, 2), 103, MemberSet.Of(1));
        Assert.True(ViewOrder.Compare(later, longer) > 0);
        Assert.True(ViewOrder.Compare(longer, Root) > 0);
        Assert.Equal(0, ViewOrder.Compare(Root, Root));
    }

    [Fact]
    public void Two_ways_from_one_view_are_a_split_brain()
    {
        var left = Root.Next(new SessionId(1, 1), 101, MemberSet.Of(0));
        var right = Root.Next(new SessionId(2, 2), 102, MemberSet.Of(1));
        foreach (var found in new FoundView[][] { [new(0, left), new(1, right)], [new(1, right), new(0, left)] })
        {
            var judgement = ViewOrder.JudgeUnanimous(found);
            Assert.Equal(ViewJudgementKind.Split, judgement.Kind);
            Assert.Null(judgement.View);
            Assert.Contains("Split brain", judgement.Sentence, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Two_views_of_the_same_place_are_a_split_brain_too()
    {
        var left = Root.Next(new SessionId(2, 2), 101, MemberSet.Of(0));
        var right = Root.Next(new SessionId(2, 2), 102, MemberSet.Of(1));
        Assert.Equal(ViewJudgementKind.Split, ViewOrder.JudgeUnanimous([new(0, left), new(1, right)]).Kind);
    }

    [Fact]
    public void Two_volumes_first_views_are_a_split_brain()
    {
        var other = View.First(new SessionId(3, 3), 200, MemberSet.Range(2), 4096);
        Assert.Equal(ViewJudgementKind.Split, ViewOrder.JudgeUnanimous([new(0, Root), new(1, other)]).Kind);
    }

    [Fact]
    public void One_id_with_two_contents_is_refused()
    {
        var damaged = View.First(new SessionId(1, 1), 100, MemberSet.Range(2), 8192);
        var judgement = ViewOrder.JudgeUnanimous([new(0, Root), new(1, damaged)]);
        Assert.Equal(ViewJudgementKind.Split, judgement.Kind);
        Assert.Contains("damaged", judgement.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(16, ViewJudgementKind.Decided)]
    [InlineData(17, ViewJudgementKind.Decided)]
    [InlineData(40, ViewJudgementKind.Decided)]
    public void A_view_older_than_the_list_of_ancestors_is_stale_not_split(int changes, ViewJudgementKind expected)
    {
        var newest = Line(Root, changes, firstForced: false);
        Assert.Equal(changes > View.AncestorsMax, !ViewOrder.IsAncestor(Root, newest));
        Assert.Equal(expected, ViewOrder.JudgeUnanimous([new(0, Root), new(1, newest)]).Kind);
    }

    [Theory]
    [InlineData(17, ViewJudgementKind.Split)]
    [InlineData(18, ViewJudgementKind.Decided)]
    public void A_forced_view_in_the_list_makes_an_unknown_old_one_a_split(int changes, ViewJudgementKind expected)
    {
        // The first change was forced: with 17 it is the newest one's oldest ancestor, or just out of the list with 18.
        var newest = Line(Root, changes - 1, firstForced: true).Next(new SessionId(1, 1), 9999, MemberSet.Of(1));
        Assert.Equal(changes == 17, newest.HasForcedLine);
        Assert.Equal(expected, ViewOrder.JudgeUnanimous([new(0, Root), new(1, newest)]).Kind);
    }

    [Fact]
    public void An_old_view_that_was_forced_is_a_split_however_old()
    {
        var newest = Line(Root, 40, firstForced: false);
        var forced = Root.Next(new SessionId(1, 1), 7777, MemberSet.Of(0), forced: true);
        Assert.Equal(ViewJudgementKind.Split, ViewOrder.JudgeUnanimous([new(0, forced), new(1, newest)]).Kind);
    }

    [Fact]
    public void A_view_as_young_as_the_list_but_not_in_it_is_a_split()
    {
        var newest = Line(Root, 20, firstForced: false);
        var fork = Line(Root, 3, firstForced: false).Next(new SessionId(1, 1), 7777, MemberSet.Of(0));
        Assert.Equal(ViewJudgementKind.Split, ViewOrder.JudgeUnanimous([new(0, fork), new(1, newest)]).Kind);
    }

    private static View Line(View view, int changes, bool firstForced)
    {
        for (var i = 0; i < changes; i++)
        {
            view = view.Next(new SessionId(1, 1), 1000 + (ulong)i, MemberSet.Of(1), firstForced && i == 0);
        }

        return view;
    }
}
