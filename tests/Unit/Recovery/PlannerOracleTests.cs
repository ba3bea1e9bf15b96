using CsCheck;
using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Recovery;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;
using static MirrorController.Tests.Unit.Recovery.Tables;

namespace MirrorController.Tests.Unit.Recovery;

/// <summary>The planner beside a reading of rules R1 and R2 block by block.</summary>
public sealed class PlannerOracleTests
{
    private const int Blocks = 40;

    private static readonly Gen<BlockRange> Range =
        Gen.Select(Gen.Int[0, Blocks - 1], Gen.Int[1, 9], (s, n) => new BlockRange(s, Math.Min(n, Blocks - s)));

    private static readonly Gen<MemberTable> Table = Gen.Select(
        Gen.ULong[0, 6],
        Gen.Select(Gen.ULong[1, 20], Gen.UInt[1, 3], Range, Gen.Bool, (sequence, session, range, sure) =>
            new RecoveryEntry(Tag.Of(session, sequence), range, sure)).Array[0, 12],
        Range.Array[0, 2],
        Range.Array[0, 2],
        (retired, entries, marks, unreadable) => new MemberTable
        {
            Member = 0,
            Retired = Tag.Of(1, retired),
            Entries = [.. entries.DistinctBy(e => e.Tag)],
            Marks = marks,
            Unreadable = unreadable,
        });

    [Fact]
    public void Every_block_is_planned_as_the_rule_says()
    {
        Gen.Select(Table.Array[1, 4], Range.Array[1, 3].Null(), Gen.Bool).Sample((tables, closed, large) =>
        {
            var blockBytes = large ? 65536 : 4096;
            // Members 0, 2, 4, 6: numbers and places are not the same thing.
            MemberTable[] members = [.. tables.Select((t, i) => new MemberTable
            {
                Member = i * 2, Retired = t.Retired, Entries = t.Entries, Marks = t.Marks, Unreadable = t.Unreadable,
            })];
            var plan = RecoveryPlanner.Plan(members, session: 3, blockBytes, closed is null ? null : RangeSet.From(closed));
            for (var block = 0; block < Blocks; block++)
            {
                var expected = closed is null || closed.Any(r => Covers(r, block)) ? Oracle(members, 3, block) : "open";
                Assert.Equal((block, expected), (block, Planned(plan, block)));
            }

            foreach (var step in plan.Steps)
            {
                var source = members.Single(m => m.Member == step.Source);
                var versions = Enumerable.Range((int)step.Range.Start, step.Range.Count).Select(b => OracleVersion(members, source, 3, b)).ToList();
                Assert.Equal((versions.Min(), versions.Max()), (step.OldestVersion.Value, step.NewestVersion.Value));
            }

            CheckShape(plan, RecoveryPlanner.StepBytesMax / blockBytes);
        });
    }

    private static bool Covers(BlockRange range, int block) => block >= range.Start && block < range.Start + range.Count;

    /// <summary>R1: tags up to the highest R of all are ignored; so is what this session itself wrote.</summary>
    private static List<RecoveryEntry> Counting(MemberTable[] members, MemberTable of, uint session, int block)
    {
        var highestRetired = members.Max(m => m.Retired.Value);
        return [.. of.Entries.Where(e => Covers(e.Range, block) && e.Tag.Value > highestRetired && e.Tag.Value >> 40 < session)];
    }

    private static ulong OracleVersion(MemberTable[] members, MemberTable of, uint session, int block) =>
        Counting(members, of, session, block).Select(e => e.Tag.Value).Append(0UL).Max();

    /// <summary>Reads the rule for one block, in its own order.</summary>
    private static string Oracle(MemberTable[] members, uint session, int block)
    {
        List<RecoveryEntry> Here(MemberTable m) => Counting(members, m, session, block);
        bool Marked(MemberTable m) => m.Marks.Any(r => Covers(r, block));
        bool Readable(MemberTable m) => !m.Unreadable.Any(r => Covers(r, block));
        ulong Version(MemberTable m) => OracleVersion(members, m, session, block);
        bool Exact(MemberTable m) => !Marked(m) && Readable(m) && (Here(m).Count == 0 || Here(m).OrderBy(e => e.Tag.Value).Last().Sure);

        // R2. Only what an entry or a mark covers anywhere.
        if (!members.Any(m => Here(m).Count > 0 || Marked(m)))
        {
            return "open";
        }

        if (members.All(Exact) && members.All(m => Version(m) == Version(members[0])))
        {
            return "closed";
        }

        var exact = members.Where(Exact).ToList();
        MemberTable? source;
        if (exact.Count > 0)
        {
            var highest = exact.Max(Version);
            source = exact.Where(m => Version(m) == highest).MinBy(m => m.Member);
        }
        else
        {
            var readable = members.Where(Readable).ToList();
            source = readable.Where(m => !Marked(m)).MinBy(m => m.Member) ?? readable.MinBy(m => m.Member);
        }

        if (source is null)
        {
            return "closed, bad";
        }

        var targets = string.Join(",", members.Select(m => m.Member).Where(m => m != source.Member));
        return targets.Length == 0 ? "closed" : $"closed, {source.Member} to {targets}";
    }

    private static string Planned(CopyPlan plan, int block)
    {
        var steps = plan.Steps.Where(s => Covers(s.Range, block)).ToList();
        var covered = plan.CoveredRanges.Count(r => Covers(r, block));
        var bad = plan.BadRanges.Count(r => Covers(r, block));
        Assert.InRange(covered, 0, 1);
        Assert.InRange(steps.Count + bad, 0, covered);
        if (covered == 0)
        {
            return "open";
        }

        if (bad == 1)
        {
            return "closed, bad";
        }

        if (steps.Count == 0)
        {
            return "closed";
        }

        var step = steps[0];
        var targets = new List<int>();
        foreach (var target in step.Targets)
        {
            targets.Add(target);
        }

        return $"closed, {step.Source} to {string.Join(",", targets)}";
    }

    private static void CheckShape(CopyPlan plan, int stepBlocksMax)
    {
        Assert.Equal(plan.PlannedBlocks, plan.Steps.Sum(s => s.Range.Count));
        for (var i = 0; i < plan.Steps.Count; i++)
        {
            Assert.InRange(plan.Steps[i].Range.Count, 1, stepBlocksMax);
            if (i > 0)
            {
                var (a, b) = (plan.Steps[i - 1], plan.Steps[i]);
                Assert.True(a.Range.End <= b.Range.Start);
                var joinable = a.Range.End == b.Range.Start && a.Source == b.Source && a.Targets == b.Targets;
                Assert.True(!joinable || a.Range.Count == stepBlocksMax, "two steps that could be one");
            }
        }

        foreach (var list in new[] { plan.CoveredRanges, plan.BadRanges })
        {
            for (var i = 1; i < list.Count; i++)
            {
                Assert.True(list[i - 1].End < list[i].Start, "ranges are in order and do not touch");
            }
        }
    }
}
