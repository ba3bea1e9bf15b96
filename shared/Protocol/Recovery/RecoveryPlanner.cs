using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;

namespace MirrorController.Protocol.Recovery;

/// <summary>Makes the plan of a reconciliation from what the in-sync members hold: a pure function (rules R1, R2).</summary>
/// <remarks>
/// Block by block, for what an entry or a repair mark covers on some member:
/// 1. A member's version is its newest tag there; without one it is the lowest.
/// 2. A member is exact if it has no repair mark there, its newest entry there is sure, and it can read the block.
/// 3. The source is the exact member with the highest version.
/// 4. If none is exact, it is one that can read the block, the same one each time. If none can, the block is bad.
/// 5. The targets are all others, except where all are exact with equal versions: there nothing is to copy.
/// The blocks are taken in runs between the borders of entries and marks, never one by one: the work grows with the number
/// of entries, not with their size nor with the volume's.
/// </remarks>
public static class RecoveryPlanner
{
    /// <summary>The largest step in bytes.</summary>
    public const int StepBytesMax = 256 * 1024;

    /// <summary>Makes the plan.</summary>
    /// <param name="members">What each in-sync member holds; the order does not matter.</param>
    /// <param name="session">The number of the session that reconciles: only entries of older sessions count (rule R1).</param>
    /// <param name="blockBytes">The size of a block in bytes.</param>
    /// <param name="stillClosed">
    /// For a plan that replaces one that a restart made void: what is closed now. What was opened meanwhile stays open and out
    /// of the new plan (rule R6). Null for a session's first plan.
    /// </param>
    public static CopyPlan Plan(IReadOnlyList<MemberTable> members, uint session, int blockBytes, RangeSet? stillClosed = null)
    {
        ArgumentNullException.ThrowIfNull(members);
        ArgumentOutOfRangeException.ThrowIfZero(members.Count, nameof(members));
        ArgumentOutOfRangeException.ThrowIfLessThan(blockBytes, 512);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(blockBytes, StepBytesMax);

        var retired = Tag.None;
        var all = MemberSet.Empty;
        foreach (var member in members)
        {
            retired = Tag.Max(retired, member.Retired);
            if (all.Contains(member.Member))
            {
                throw new ArgumentException($"Member {member.Member} is there twice.", nameof(members));
            }

            all = all.With(member.Member);
        }

        var sweep = new RecoverySweep(members, retired, session, stillClosed);
        var builder = new CopyPlanBuilder(StepBytesMax / blockBytes);
        while (sweep.MoveNext())
        {
            if (!sweep.IsCovered || !sweep.IsClosed)
            {
                continue;
            }

            builder.AddCovered(sweep.Start, sweep.End);
            Decide(sweep, all, builder);
        }

        return builder.Finish(retired);
    }

    /// <summary>Decides one run of blocks that all have the same entries and marks.</summary>
    private static void Decide(RecoverySweep run, MemberSet all, CopyPlanBuilder builder)
    {
        var exact = -1;
        var readable = -1;
        var exactCount = 0;
        var equal = true;
        foreach (var member in all)
        {
            equal &= run.Version(member) == run.Version(all.First);
            if (run.IsExact(member))
            {
                exactCount++;
                if (exact < 0 || run.Version(member) > run.Version(exact))
                {
                    exact = member;
                }
            }

            // Unmarked before marked: a copy that was cut off is the worst of what can be read. It also keeps the choice: the
            // targets of an earlier attempt have marks, its source has none.
            if (run.CanRead(member) && (readable < 0 || (run.IsMarked(readable) && !run.IsMarked(member))))
            {
                readable = member;
            }
        }

        if (exactCount == all.Count && equal)
        {
            return;
        }

        var source = exact >= 0 ? exact : readable;
        if (source < 0)
        {
            builder.AddBad(run.Start, run.End);
        }
        else if (all.Count > 1)
        {
            builder.AddCopy(run.Start, run.End, source, all.Without(source), run.Version(source));
        }
    }
}
