using MirrorController.HostAgent.Rig;
using MirrorController.HostAgent.Rig.Torture;

namespace MirrorController.Tests.Unit.Torture;

public class TorturePlanTests
{
    private static readonly string[] Boards = ["pi-a", "pi-b", "pi-c"];

    [Fact]
    public void The_same_seed_makes_the_same_plan()
    {
        Assert.Equal(Describe(TorturePlan.Make(7, 50, Boards)), Describe(TorturePlan.Make(7, 50, Boards)));
        Assert.NotEqual(Describe(TorturePlan.Make(7, 50, Boards)), Describe(TorturePlan.Make(8, 50, Boards)));
    }

    [Fact]
    public void A_longer_plan_begins_as_a_shorter_one()
    {
        var shorter = Describe(TorturePlan.Make(7, 50, Boards))[..40];

        Assert.Equal(shorter, Describe(TorturePlan.Make(7, 500, Boards))[..40]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(99)]
    public void It_has_as_many_cuts_as_asked_for(int cuts)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            Assert.Equal(cuts, TorturePlan.Make(seed, cuts, Boards).Sum(r => r.Cuts));
        }
    }

    [Fact]
    public void Every_kind_of_cut_is_made_in_every_manner()
    {
        var cuts = TorturePlan.Make(1, 300, Boards).SelectMany(r => r.Again is null ? [r.Cut] : new[] { r.Cut, r.Again }).ToList();

        foreach (var kind in Enum.GetValues<TortureKind>())
        {
            Assert.Contains(cuts, c => c.Kind == kind && c.Manner == "loud");
            Assert.Contains(cuts, c => c.Kind == kind && c.Manner == "silent");
        }

        Assert.Contains(cuts, c => c.Kind == TortureKind.Everything && c.Manner == "mixed");
    }

    [Fact]
    public void Whoever_is_cut_gets_its_power_back_once()
    {
        foreach (var round in TorturePlan.Make(3, 300, Boards))
        {
            Assert.Equal(round.Cut.Nodes.Order(StringComparer.Ordinal), round.Order.Order(StringComparer.Ordinal));
            Assert.All(round.Order, n => Assert.Contains(n, Boards.Append(RigPaths.Host)));
        }
    }

    private static List<string> Describe(IReadOnlyList<TortureRound> rounds) =>
        [.. rounds.Select(r => $"{r.LoadMs} {r.Depth} {r.Cut} {r.DownMs} {string.Join(',', r.Order)} {r.GapMs} {r.Again} {r.AgainMs} {r.TailMs}")];
}
