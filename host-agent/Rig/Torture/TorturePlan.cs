namespace MirrorController.HostAgent.Rig.Torture;

/// <summary>Makes the rounds from the seed: the same seed, boards and number of cuts make the same plan.</summary>
internal static class TorturePlan
{
    private const int LoadMsMin = 40;
    private const int LoadMsMax = 350;
    private const int DepthMax = 32;
    private const int DownMsMax = 200;

    // Longer than the silence after which a node closes a connection by itself.
    private const int LongDownMs = 3_500;
    private const int GapMsMax = 120;
    private const int AgainMsMax = 500;
    private const int TailMsMax = 80;

    /// <summary>Makes the rounds of a plan.</summary>
    public static IReadOnlyList<TortureRound> Make(int seed, int cuts, IReadOnlyList<string> boards)
    {
        var random = new Random(seed);
        var rounds = new List<TortureRound>();
        for (var left = cuts; left > 0; left -= rounds[^1].Cuts)
        {
            rounds.Add(Round(random, boards, mayCutAgain: left > 1));
        }

        return rounds;
    }

    private static TortureRound Round(Random random, IReadOnlyList<string> boards, bool mayCutAgain)
    {
        var cut = Cut(random, boards);
        // Every number is drawn in every case, so that one choice does not move all later ones.
        var again = Cut(random, boards);
        var hasAgain = random.Next(5) == 0;
        var isLong = random.Next(25) == 0 && cut.Silent.Count > 0;
        var downMs = random.Next(DownMsMax);
        var gapMs = random.Next(GapMsMax);
        var order = cut.Nodes.ToArray();
        random.Shuffle(order);
        return new TortureRound(
            random.Next(LoadMsMin, LoadMsMax),
            1 << random.Next(6) is var depth && depth > DepthMax ? DepthMax : depth,
            cut,
            isLong ? LongDownMs : downMs,
            order,
            random.Next(2) == 0 ? 0 : gapMs,
            hasAgain && mayCutAgain ? again : null,
            random.Next(AgainMsMax),
            random.Next(TailMsMax));
    }

    private static TortureCut Cut(Random random, IReadOnlyList<string> boards)
    {
        var some = boards.ToArray();
        random.Shuffle(some);
        var several = random.Next(2, boards.Count + 1);
        string[] nodes = random.Next(100) switch
        {
            < 30 => [some[0]],
            < 50 => some[..several],
            < 75 => [RigPaths.Host],
            < 80 => [RigPaths.Host, some[0]],
            _ => [RigPaths.Host, .. some],
        };
        var manner = random.Next(100);
        var loud = nodes.Where(_ => random.Next(2) == 0).ToArray();
        return manner switch
        {
            < 50 => new TortureCut(nodes, []),
            < 80 => new TortureCut([], nodes),
            _ => new TortureCut(loud, [.. nodes.Except(loud, StringComparer.Ordinal)]),
        };
    }
}
