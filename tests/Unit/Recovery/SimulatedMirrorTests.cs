using CsCheck;
using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Recovery;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;
using Xunit.Sdk;

namespace MirrorController.Tests.Unit.Recovery;

/// <summary>The plan beside what it is for: after any history of writes and power cuts all members are equal, and nothing protected is lost.</summary>
public sealed class SimulatedMirrorTests
{
    private const int Blocks = 6;
    private static readonly BlockRange Block0 = new(0, 1);

    [Fact]
    public void After_any_history_all_members_are_equal_and_nothing_flushed_is_lost()
    {
        Gen.Select(Gen.Int[2, 3], Gen.Bool, Gen.Byte.Array[1, 250]).Sample(
            (members, unreadable, bytes) =>
            {
                var at = 0;
                int Choose(int n) => at < bytes.Length ? bytes[at++] % n : 0;
                var mirror = new SimulatedMirror(members, Blocks);
                while (at < bytes.Length)
                {
                    RunSession(mirror, Choose);
                    mirror.CrashHostAndRecover(Planner, Choose, unreadable);
                }
            },
            iter: 3000);
    }

    [Fact]
    public void The_histories_reach_what_the_rules_are_about()
    {
        // A property over histories in which nothing happens would hold, too.
        var seen = new HashSet<string>(StringComparer.Ordinal);
        CopyPlan Watch(IReadOnlyList<MemberTable> members, uint session)
        {
            var plan = Planner(members, session);
            Note(seen, members, plan);
            return plan;
        }

        Gen.Select(Gen.Int[2, 3], Gen.Byte.Array[150, 250]).Sample(
            (members, bytes) =>
            {
                var at = 0;
                int Choose(int n) => at < bytes.Length ? bytes[at++] % n : 0;
                var mirror = new SimulatedMirror(members, Blocks);
                while (at < bytes.Length)
                {
                    RunSession(mirror, Choose);
                    mirror.CrashHostAndRecover(Watch, Choose);
                }
            },
            iter: 500,
            threads: 1,
            seed: "0000KKB38Lj5");
        Assert.Equal(
            "copy, equal but closed, mark, newest unsure, none exact, retired on one only",
            string.Join(", ", seen.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void S2_to_take_matching_tags_for_equal_data_leaves_members_different()
    {
        var mirror = TornByPowerLoss();
        var failure = Assert.ThrowsAny<XunitException>(() => mirror.CrashHostAndRecover(CopyFromTheOwner, _ => 0));
        Assert.Contains("differs", failure.Message, StringComparison.Ordinal);

        TornByPowerLoss().CrashHostAndRecover(Planner, _ => 0);

        static SimulatedMirror TornByPowerLoss()
        {
            var mirror = new SimulatedMirror(2, 1);
            mirror.Issue(Block0);
            Both(mirror);
            mirror.CutBoard(0, _ => 0);
            return mirror;
        }
    }

    [Fact]
    public void S4_to_copy_from_the_owner_of_an_unmatched_entry_overwrites_a_later_write()
    {
        var failure = Assert.ThrowsAny<XunitException>(() => OwnerHasTheOlderData().CrashHostAndRecover(CopyFromTheOwner, _ => 0));
        Assert.Contains("lost 1.2", failure.Message, StringComparison.Ordinal);

        OwnerHasTheOlderData().CrashHostAndRecover(Planner, _ => 0);

        static SimulatedMirror OwnerHasTheOlderData()
        {
            var mirror = new SimulatedMirror(2, 1);
            mirror.Issue(Block0);
            Both(mirror);
            mirror.Flush(0);
            mirror.Flush(1);
            // Write 1 is durable on both; only board 0 has heard so far that its entry may go.
            mirror.Retire(0);
            mirror.Issue(Block0);
            Both(mirror);
            // Board 1 loses write 2. It alone has an entry for write 1, so the patent copies its old block over board 0's good one.
            mirror.CutBoard(1, _ => 0);
            return mirror;
        }
    }

    private static CopyPlan Planner(IReadOnlyList<MemberTable> members, uint session) => RecoveryPlanner.Plan(members, session, 4096);

    /// <summary>The patent's rule: entries with a match on the other member go; an unmatched one is copied from its owner.</summary>
    private static CopyPlan CopyFromTheOwner(IReadOnlyList<MemberTable> members, uint session)
    {
        var steps = new List<CopyStep>();
        foreach (var owner in members)
        {
            foreach (var entry in owner.Entries)
            {
                var lacking = MemberSet.Empty;
                foreach (var peer in members.Where(m => m.Entries.All(e => e.Tag != entry.Tag)))
                {
                    lacking = lacking.With(peer.Member);
                }

                if (!lacking.IsEmpty)
                {
                    steps.Add(new CopyStep(entry.Range, owner.Member, lacking, entry.Tag, entry.Tag));
                }
            }
        }

        return new CopyPlan
        {
            HighestRetired = members.Max(m => m.Retired),
            Steps = steps,
            BadRanges = [],
            CoveredRanges = Planner(members, session).CoveredRanges,
            PlannedBlocks = steps.Sum(s => s.Range.Count),
        };
    }

    private static void Both(SimulatedMirror mirror)
    {
        for (var member = 0; member < 2; member++)
        {
            mirror.Step(member);
            mirror.Step(member);
        }
    }

    private static void RunSession(SimulatedMirror mirror, Func<int, int> choose)
    {
        while (true)
        {
            var member = choose(mirror.Boards.Length);
            switch (choose(16))
            {
                case 0:
                    return;
                case < 6:
                    var start = choose(Blocks);
                    mirror.Issue(new BlockRange(start, 1 + choose(Math.Min(3, Blocks - start))), fua: choose(6) == 5);
                    break;
                case < 12:
                    mirror.Step(member);
                    mirror.Step(choose(mirror.Boards.Length));
                    break;
                case 12:
                    mirror.Flush(member);
                    break;
                case 13:
                    foreach (var board in mirror.Boards)
                    {
                        mirror.Flush(board.Member);
                    }

                    break;
                case 14:
                    mirror.Retire(member);
                    break;
                default:
                    mirror.CutBoard(member, choose);
                    break;
            }
        }
    }

    private static void Note(HashSet<string> seen, IReadOnlyList<MemberTable> members, CopyPlan plan)
    {
        if (plan.Steps.Count > 0)
        {
            seen.Add("copy");
        }

        if (plan.PlannedBlocks < plan.CoveredRanges.Sum(r => (long)r.Count))
        {
            seen.Add("equal but closed");
        }

        if (members.Any(m => m.Marks.Count > 0))
        {
            seen.Add("mark");
        }

        if (members.Any(m => m.Retired != members[0].Retired && m.Entries.Any(e => e.Tag <= plan.HighestRetired)))
        {
            seen.Add("retired on one only");
        }

        foreach (var step in plan.Steps)
        {
            var at = new BlockRange(step.Range.Start, 1);
            RecoveryEntry? Newest(MemberTable m) => m.Entries.Where(e => e.Range.Contains(at) && e.Tag > plan.HighestRetired)
                .OrderByDescending(e => e.Tag).Select(e => (RecoveryEntry?)e).FirstOrDefault();
            if (members.Any(m => Newest(m) is { Sure: false } e && e.Tag > step.NewestVersion))
            {
                seen.Add("newest unsure");
            }

            if (members.All(m => Newest(m) is { Sure: false }))
            {
                seen.Add("none exact");
            }
        }
    }
}
