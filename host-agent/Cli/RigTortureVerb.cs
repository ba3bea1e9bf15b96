using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using MirrorController.HostAgent.Control;
using MirrorController.HostAgent.Rig;
using MirrorController.HostAgent.Rig.Torture;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime.Configuration;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>rig torture</c>: cuts a rig of its own at random moments under load, and checks every sector.</summary>
internal sealed class RigTortureVerb : Verb
{
    private readonly Option<int?> _cuts = VerbOptions.Number("--cuts", $"How many cuts (default {TortureOptions.CutsDefault}).", 1, TortureOptions.CutsMax);
    private readonly Option<int?> _seed = VerbOptions.Number("--seed", "What the plan is made from; the same seed makes the same plan (default: random, printed).", 0, int.MaxValue);
    private readonly Option<int?> _boards = VerbOptions.Number(
        "--boards", $"How many boards, {RigOptions.BoardsMin} to {RigOptions.BoardsMax} (default {RigOptions.BoardsDefault}).", RigOptions.BoardsMin, RigOptions.BoardsMax);

    private readonly Option<long?> _size = VerbOptions.Size("--size", $"The volume's size, at most {SizeText.Format(TortureOptions.SizeMax)} (default {SizeText.Format(TortureOptions.SizeDefault)}).");
    private readonly Option<string?> _dir = VerbOptions.OptionalPath(
        "--dir", "A folder without a rig, which is kept (default: a temporary one, kept only if something is wrong).", "DIR");
    private readonly Option<string?> _nvm = VerbOptions.Choice("--nvm", "The emulated memory chips (default fram).", "fram", "eeprom");
    private readonly Option<string?> _timing = VerbOptions.Choice("--nvm-timing", "Whether the chips take as long as real ones (default none).", "real", "none");

    private readonly Option<string?> _cache = VerbOptions.Choice(
        "--disk-cache", "Whether the disks have a cache that a power cut loses (default volatile).", "volatile", "none");

    private readonly Option<bool> _json = VerbOptions.Json();

    public RigTortureVerb(CliContext context)
        : base(
            context,
            "torture",
            "Cuts the power of boards, of the host and of everything at random moments under load, and checks that nothing is lost. Exit code 0: all is well, 1: not.",
            "mirrorctl rig torture",
            "mirrorctl rig torture --cuts 1000 --seed 7 --boards 3 --nvm eeprom --json")
    {
        Add(_cuts);
        Add(_seed);
        Add(_boards);
        Add(_size);
        Add(_dir);
        Add(_nvm);
        Add(_timing);
        Add(_cache);
        Add(_json);
    }

    /// <inheritdoc/>
    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var options = Read(parsed);
        var dir = parsed.GetValue(_dir);
        var paths = new RigPaths(dir ?? Directory.CreateTempSubdirectory("mirror-torture-").FullName);
        if (RigState.Load(paths) is not null)
        {
            throw new CliFault($"There is a rig in {paths.Folder}, and its volume would be overwritten; name a folder without one.", ExitCode.Usage);
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var signals = new EndSignals(ended.CancelAsync);
        TortureModel model;
        try
        {
            model = await TortureAsync(paths, options, dir is not null, ended.Token);
        }
        catch (OperationCanceledException)
        {
            Remove(paths, dir);
            throw;
        }

        if (model.Fault is null)
        {
            Remove(paths, dir);
        }

        Print(model, parsed.GetValue(_json));
        return model.Fault is null ? ExitCode.Done : ExitCode.Failed;
    }

    private static void Remove(RigPaths paths, string? dir)
    {
        if (dir is null)
        {
            Directory.Delete(paths.Folder, recursive: true);
        }
    }

    private TortureOptions Read(ParseResult parsed)
    {
        var size = VolumeCreateVerb.CheckSize(parsed.GetValue(_size) ?? TortureOptions.SizeDefault);
        if (size > TortureOptions.SizeMax)
        {
            throw new CliFault($"--size is {SizeText.Format(size)}; torture reads all of it after every cut, so it takes at most {SizeText.Format(TortureOptions.SizeMax)}.", ExitCode.Usage);
        }

        using var ports = new FreePorts();
        return new TortureOptions(
            parsed.GetValue(_cuts) ?? TortureOptions.CutsDefault,
            parsed.GetValue(_seed) ?? Random.Shared.Next(),
            new RigOptions
            {
                Boards = parsed.GetValue(_boards),
                SizeBytes = size,
                Nbd = new NodeAddress("127.0.0.1", ports.Take()),
                Nvm = parsed.GetValue(_nvm),
                NvmTiming = parsed.GetValue(_timing),
                DiskCache = parsed.GetValue(_cache),
            });
    }

    private async Task<TortureModel> TortureAsync(RigPaths paths, TortureOptions options, bool keep, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        await using var session = await RigSession.OpenAsync(paths, options.Rig, Boards);
        var rig = session.Supervisor;
        await rig.UpAsync(cancellation);
        Screen.Error($"torture: {options.Cuts} cuts, seed {options.Seed}, {rig.State.Boards.Count} boards, {SizeText.Format(rig.State.SizeBytes)}, {paths.Folder}");

        var tally = new TortureTally();
        using var load = new TortureLoad(rig.Agent.Nbd, rig.State.Volume, rig.State.SizeBytes, options.Seed);
        var rounds = TorturePlan.Make(options.Seed, options.Cuts, [.. rig.State.Boards.Select(b => b.Name)]);
        var fault = await TortureProgress.RunAsync(
            Screen, options.Cuts, told => new TortureRun(rig, load, tally, told, cancellation).RunAsync(rounds));
        return tally.Model(options, rig.State, load.Checker, clock.ElapsedMilliseconds, fault, keep || fault is not null ? paths.Folder : null);
    }

    private void Print(TortureModel model, bool json)
    {
        if (json)
        {
            Screen.Line(JsonSerializer.Serialize(model, TortureJson.Default.TortureModel));
            return;
        }

        foreach (var line in TortureText.Lines(model))
        {
            Screen.Line(line);
        }
    }
}
