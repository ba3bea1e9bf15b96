namespace MirrorController.Protocol.Views;

/// <summary>A view that a member has answered with.</summary>
/// <param name="Member">The member's number.</param>
/// <param name="View">The view in its nonvolatile memory.</param>
public readonly record struct FoundView(int Member, View View);

/// <summary>What an opening may do with the views it has found.</summary>
public enum ViewJudgementKind
{
    /// <summary>The view decides who may be read.</summary>
    Decided,

    /// <summary>More members have to answer first.</summary>
    NeedMore,

    /// <summary>The members went different ways: refused.</summary>
    Split,
}

/// <summary>The outcome of judging the views found, with a sentence for the operator.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="View">The newest view found, where one was found and nothing split.</param>
/// <param name="Missing">The members that have to answer, where the answer is <see cref="ViewJudgementKind.NeedMore"/> and they are known.</param>
/// <param name="Sentence">The reason.</param>
public sealed record ViewJudgement(ViewJudgementKind Kind, View? View, MemberSet Missing, string Sentence)
{
    internal static ViewJudgement Decided(View view, string sentence) => new(ViewJudgementKind.Decided, view, MemberSet.Empty, sentence);

    internal static ViewJudgement NeedMore(View? view, MemberSet missing, string sentence) =>
        new(ViewJudgementKind.NeedMore, view, missing, sentence);

    internal static ViewJudgement Split(string sentence) => new(ViewJudgementKind.Split, null, MemberSet.Empty, sentence);
}
