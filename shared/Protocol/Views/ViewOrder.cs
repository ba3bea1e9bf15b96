namespace MirrorController.Protocol.Views;

/// <summary>The order of views, and the judgement of those that an opening finds (rules O3, O4).</summary>
public static class ViewOrder
{
    /// <summary>Compares by session, then counter: the newer view is the greater. Different views may be equal here.</summary>
    public static int Compare(View left, View right)
    {
        var bySession = left.Session.CompareTo(right.Session);
        return bySession != 0 ? bySession : left.Counter.CompareTo(right.Counter);
    }

    /// <summary>Gets whether a view is among those that the newer one remembers to have come from.</summary>
    public static bool IsAncestor(View older, View newer) => newer.Ancestors.Contains(older.Id);

    /// <summary>
    /// Gets whether a view is so old that the newer one cannot remember it, and no force was in play: it counts as an
    /// ancestor, because a line that split so many changes ago could only have done so by force.
    /// </summary>
    public static bool IsStale(View older, View newer) =>
        newer.Ancestors.Length == View.AncestorsMax
        && older.Counter < newer.Counter - View.AncestorsMax
        && !newer.HasForcedLine
        && !older.HasForcedLine;

    /// <summary>Judges the views found by an opening in unanimous mode: which one counts, or what stands in the way.</summary>
    /// <remarks>
    /// O3: the newest view found decides, and every one of its in-sync members has answered. O4: two views of which
    /// neither came from the other are a split brain, which only the operator can settle.
    /// A newest view is compared with each other one; that is enough, since all its ancestors are one line.
    /// </remarks>
    /// <param name="found">The views of the boards that have answered, one a member, in any order.</param>
    public static ViewJudgement JudgeUnanimous(ReadOnlySpan<FoundView> found)
    {
        if (found.IsEmpty)
        {
            return ViewJudgement.NeedMore(null, MemberSet.Empty, "No board has answered with a view.");
        }

        var newest = found[0];
        var answered = MemberSet.Empty;
        foreach (var candidate in found)
        {
            answered = answered.With(candidate.Member);
            var order = Compare(candidate.View, newest.View);
            if (order > 0 || (order == 0 && candidate.Member < newest.Member))
            {
                newest = candidate;
            }
        }

        foreach (var other in found)
        {
            if (other.View.Id == newest.View.Id)
            {
                if (!other.View.IsSameAs(newest.View))
                {
                    return ViewJudgement.Split(
                        $"Members {newest.Member} and {other.Member} hold different views under one id, {newest.View.Id:x16}: one of them is damaged.");
                }
            }
            else if (!IsAncestor(other.View, newest.View) && !IsStale(other.View, newest.View))
            {
                return ViewJudgement.Split(
                    $"Split brain: member {newest.Member} holds {newest.View}, member {other.Member} holds {other.View}, and neither came from the other; "
                    + "the operator must choose.");
            }
        }

        var missing = newest.View.InSync - answered;
        return missing.IsEmpty
            ? ViewJudgement.Decided(newest.View, $"The newest view found, {newest.View}, decides: all its in-sync members have answered.")
            : ViewJudgement.NeedMore(newest.View, missing, $"The newest view found, {newest.View}, waits for its in-sync members {missing}.");
    }
}
