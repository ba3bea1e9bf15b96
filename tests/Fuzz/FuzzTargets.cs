using MirrorController.Tests.Fuzz.Targets;

namespace MirrorController.Tests.Fuzz;

/// <summary>Every decoder of bytes that come from outside.</summary>
public static class FuzzTargets
{
    /// <summary>Gets all targets.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new NbdStreams(isTransmission: false),
        new NbdStreams(isTransmission: true),
        new NbdReplies(),
        new WireFrames(),
        .. WireBodies.All,
        .. Media.All,
        new ChipImages(),
        new BoardMedia(),
        new BoardFrames(),
        new CoordinatorFrames(),
        .. SideFiles.All,
        .. Documents.All,
        .. Texts.All,
    ];

    /// <summary>Finds a target by its name.</summary>
    public static FuzzTarget? Find(string name) => All.FirstOrDefault(t => t.Name == name);
}
