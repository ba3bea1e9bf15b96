namespace MirrorController.HostAgent.Rig.Torture;

/// <summary>What loses its power together.</summary>
internal enum TortureKind
{
    /// <summary>One board.</summary>
    Board,

    /// <summary>Several boards, not the host.</summary>
    Boards,

    /// <summary>The host alone.</summary>
    Host,

    /// <summary>The host and some boards, or all of them.</summary>
    Everything,
}

/// <summary>One cut: who, and how.</summary>
/// <param name="Loud">The nodes whose processes die at once.</param>
/// <param name="Silent">The nodes that stop with their sockets open, and die when they are restored.</param>
internal sealed record TortureCut(IReadOnlyList<string> Loud, IReadOnlyList<string> Silent)
{
    /// <summary>Gets all nodes of the cut.</summary>
    public IEnumerable<string> Nodes => Loud.Concat(Silent);

    /// <summary>Gets whether the host is among them.</summary>
    public bool HasHost => Nodes.Contains(RigPaths.Host, StringComparer.Ordinal);

    /// <summary>Gets what was cut.</summary>
    public TortureKind Kind => (HasHost, Loud.Count + Silent.Count) switch
    {
        (true, 1) => TortureKind.Host,
        (true, _) => TortureKind.Everything,
        (false, 1) => TortureKind.Board,
        _ => TortureKind.Boards,
    };

    /// <summary>Gets how it was cut.</summary>
    public string Manner => (Loud.Count, Silent.Count) switch
    {
        (_, 0) => "loud",
        (0, _) => "silent",
        _ => "mixed",
    };

    /// <inheritdoc/>
    public override string ToString() => string.Join(' ', Loud.Concat(Silent.Select(n => n + " (silent)")));
}

/// <summary>One round of the plan: load, a cut, a pause, the power back in some order, perhaps a second cut meanwhile.</summary>
/// <param name="LoadMs">How long the load runs before the cut, in milliseconds.</param>
/// <param name="Depth">How many requests it keeps in flight.</param>
/// <param name="Cut">The cut.</param>
/// <param name="DownMs">How long the nodes stay off, in milliseconds.</param>
/// <param name="Order">The nodes in the order in which they get their power back.</param>
/// <param name="GapMs">The pauses between them, in milliseconds; 0 is all at once.</param>
/// <param name="Again">The second cut, while the first is being recovered from; or null.</param>
/// <param name="AgainMs">How long after the power came back, in milliseconds.</param>
/// <param name="TailMs">How long the load goes on after the recovery, in milliseconds.</param>
internal sealed record TortureRound(
    int LoadMs,
    int Depth,
    TortureCut Cut,
    int DownMs,
    IReadOnlyList<string> Order,
    int GapMs,
    TortureCut? Again,
    int AgainMs,
    int TailMs)
{
    /// <summary>Gets how many cuts it has.</summary>
    public int Cuts => Again is null ? 1 : 2;
}
