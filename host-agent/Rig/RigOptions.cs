using MirrorController.HostAgent.Cli;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime.Configuration;

namespace MirrorController.HostAgent.Rig;

/// <summary>The options of <c>rig up</c>; null where the user named none.</summary>
internal sealed record RigOptions
{
    public const int BoardsDefault = 2;
    public const int BoardsMin = 2;
    public const int BoardsMax = 5;
    public const long SizeDefault = 1L << 30;
    public const long GraceMsDefault = 30_000;
    public const int BlockBytes = 4096;

    public int? Boards { get; init; }

    public long? SizeBytes { get; init; }

    public NodeAddress? Nbd { get; init; }

    public string? Nvm { get; init; }

    public string? NvmTiming { get; init; }

    public string? DiskCache { get; init; }

    public long? GraceMs { get; init; }

    /// <summary>Makes a new rig's state, or brings an existing one up to the options.</summary>
    /// <exception cref="CliFault">The options do not fit the existing rig.</exception>
    public RigState Apply(RigState? existing, RigPaths paths) => existing is null ? Create() : Change(existing, paths);

    private RigState Create()
    {
        var nbd = (Nbd ?? new NodeAddress("127.0.0.1", 10809)).ToString();
        using var ports = new FreePorts();
        ports.Leave(nbd);
        return new RigState
        {
            SizeBytes = SizeBytes ?? SizeDefault,
            Nvm = Nvm ?? "fram",
            NvmTiming = NvmTiming ?? "none",
            DiskCache = DiskCache ?? "volatile",
            GraceMs = GraceMs ?? GraceMsDefault,
            Nbd = nbd,
            Http = $"127.0.0.1:{ports.Take()}",
            Boards = [.. Enumerable.Range(0, Boards ?? BoardsDefault)
                .Select(i => new RigBoardState { Name = $"pi-{(char)('a' + i)}", Listen = $"127.0.0.1:{ports.Take()}" })],
        };
    }

    private RigState Change(RigState existing, RigPaths paths)
    {
        var advice = $"Leave the option out, or use another --dir (this is {paths.Folder}).";
        Refuse(Boards is { } boards && boards != existing.Boards.Count, $"This rig has {existing.Boards.Count} boards, not {Boards}. {advice}");
        Refuse(
            SizeBytes is { } size && size != existing.SizeBytes,
            $"This rig's volume has {SizeText.Format(existing.SizeBytes)}, not {SizeText.Format(SizeBytes ?? 0)}. {advice}");
        Refuse(Nvm is not null && Nvm != existing.Nvm, $"This rig's chips are {existing.Nvm}, not {Nvm}. {advice}");
        return existing with
        {
            Nbd = Nbd?.ToString() ?? existing.Nbd,
            NvmTiming = NvmTiming ?? existing.NvmTiming,
            DiskCache = DiskCache ?? existing.DiskCache,
            GraceMs = GraceMs ?? existing.GraceMs,
        };
    }

    private static void Refuse(bool wrong, string sentence)
    {
        if (wrong)
        {
            throw new CliFault(sentence, ExitCode.Usage);
        }
    }
}
