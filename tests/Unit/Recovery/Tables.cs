using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Recovery;
using MirrorController.Protocol.Tags;

namespace MirrorController.Tests.Unit.Recovery;

/// <summary>Short ways to write down what members hold. All tags are of session 1 unless said otherwise; the plan is session 2's.</summary>
internal static class Tables
{
    public const uint Session = 2;
    public const int BlockBytes = 4096;

    public static Tag T(ulong sequence) => Tag.Of(1, sequence);

    public static RecoveryEntry Sure(ulong tag, long start, int count = 1) => new(T(tag), new BlockRange(start, count), Sure: true);

    public static RecoveryEntry Unsure(ulong tag, long start, int count = 1) => new(T(tag), new BlockRange(start, count), Sure: false);

    public static MemberTable Member(int member, params RecoveryEntry[] entries) => Member(member, 0, entries);

    public static MemberTable Member(
        int member, ulong retired, RecoveryEntry[] entries, BlockRange[]? marks = null, BlockRange[]? unreadable = null) => new()
    {
        Member = member,
        Retired = T(retired),
        Entries = entries,
        Marks = marks ?? [],
        Unreadable = unreadable ?? [],
    };

    public static CopyPlan Plan(params MemberTable[] members) => RecoveryPlanner.Plan(members, Session, BlockBytes);
}
