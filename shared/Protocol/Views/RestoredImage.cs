using MirrorController.Protocol.Tags;

namespace MirrorController.Protocol.Views;

/// <summary>What a member says of itself when it answers, as far as it shows whether it is what it was.</summary>
/// <param name="Member">The member's number.</param>
/// <param name="Durable">Its durable mark D.</param>
/// <param name="Retired">Its retired mark R.</param>
/// <param name="Session">The number of the session that it has stored.</param>
/// <param name="StartCounter">How often its board has started.</param>
/// <param name="BootId">The random id of its board's present start.</param>
/// <param name="InSync">Whether the view that counts has it in sync.</param>
public readonly record struct MemberMarks(int Member, Tag Durable, Tag Retired, uint Session, ulong StartCounter, ulong BootId, bool InSync);

/// <summary>A member that counts as blank, and why.</summary>
/// <param name="Member">The member's number.</param>
/// <param name="Sentence">The reason.</param>
public readonly record struct BlankMember(int Member, string Sentence);

/// <summary>Finds members whose disk and NVM went back in time together: restored images and clones (rule O5a).</summary>
/// <remarks>
/// What such a member holds is consistent in itself, and old. Nothing else tells: its entries are valid, its view may be the
/// newest. But R is moved only over what is durable on all in-sync members, so an in-sync member whose D is
/// below another's R has lost what it had. An image younger than the last move of R is not found.
/// </remarks>
public static class RestoredImage
{
    /// <summary>Judges the members that answer.</summary>
    /// <param name="answers">One per member, in sync or not: the R of each counts.</param>
    /// <param name="lastSeen">What the members were when this session last saw them; empty for a session that saw none.</param>
    /// <returns>The in-sync members that count as blank, in the order of the answers, each with one sentence.</returns>
    public static IReadOnlyList<BlankMember> Judge(ReadOnlySpan<MemberMarks> answers, ReadOnlySpan<MemberMarks> lastSeen)
    {
        var retired = Tag.None;
        var retiredBy = -1;
        foreach (var answer in answers)
        {
            if (answer.Retired > retired)
            {
                retired = answer.Retired;
                retiredBy = answer.Member;
            }
        }

        var blank = new List<BlankMember>();
        foreach (var answer in answers)
        {
            if (!answer.InSync)
            {
                continue;
            }

            var sentence = answer.Durable < retired
                ? $"Member {answer.Member} has made durable only what is up to tag {answer.Durable}, but member {retiredBy} knows that it had all up to {retired}: "
                  + "its disk and NVM were restored from an older image."
                : JudgeReturn(answer, lastSeen);
            if (sentence is not null)
            {
                blank.Add(new BlankMember(answer.Member, sentence));
            }
        }

        return blank;
    }

    private static string? JudgeReturn(MemberMarks now, ReadOnlySpan<MemberMarks> lastSeen)
    {
        foreach (var last in lastSeen)
        {
            if (last.Member != now.Member)
            {
                continue;
            }

            if (now.Session < last.Session)
            {
                return $"Member {now.Member} returned with session {now.Session} after it had stored {last.Session}: it is an older image or a clone.";
            }

            if (now.Durable < last.Durable)
            {
                return $"Member {now.Member} returned with everything durable up to tag {now.Durable} after it had {last.Durable}: it is an older image or a clone.";
            }

            // A boot id belongs to exactly one start counter, and a new start has a higher one (rule B1).
            if (now.BootId != last.BootId && now.StartCounter <= last.StartCounter)
            {
                return $"Member {now.Member} returned with start {now.StartCounter} and another boot id after start {last.StartCounter}: "
                    + "it is an older image or a clone.";
            }

            if (now.BootId == last.BootId && now.StartCounter != last.StartCounter)
            {
                return $"Member {now.Member} returned with start {now.StartCounter} under the boot id of start {last.StartCounter}: two boards claim to be it.";
            }
        }

        return null;
    }
}
