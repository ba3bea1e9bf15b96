using System.CommandLine;
using System.Text.Json;
using MirrorController.HostAgent.Rig;
using MirrorController.Protocol.Seams;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>rig up</c>: starts the rig and stays in front of it, or with <c>--detach</c> leaves it to a supervisor.</summary>
internal sealed class RigUpVerb : Verb
{
    private static readonly TimeSpan ConnectPoll = TimeSpan.FromMilliseconds(20);
    private readonly Option<int?> _boards = VerbOptions.Number(
        "--boards", $"How many boards, {RigOptions.BoardsMin} to {RigOptions.BoardsMax} (default {RigOptions.BoardsDefault}).", RigOptions.BoardsMin, RigOptions.BoardsMax);

    private readonly Option<long?> _size = VerbOptions.Size("--size", "The volume's size (default 1GiB).");
    private readonly Option<string?> _dir = RigGroup.Dir();
    private readonly Option<NodeAddress?> _nbd = VerbOptions.Address("--nbd", "Where the volume is served (default 127.0.0.1:10809).");
    private readonly Option<string?> _nvm = VerbOptions.Choice("--nvm", "The emulated memory chips (default fram).", "fram", "eeprom");
    private readonly Option<string?> _timing = VerbOptions.Choice("--nvm-timing", "Whether the chips take as long as real ones (default none).", "real", "none");

    private readonly Option<string?> _cache = VerbOptions.Choice(
        "--disk-cache", "Whether the disks have a cache that a power cut loses (default volatile).", "volatile", "none");

    private readonly Option<long?> _grace = VerbOptions.Duration("--grace", "How long a board may stay away before it is shown as away (default 30s).");
    private readonly Option<bool> _detach = new("--detach") { Description = "Leave the rig running and return when it is ready." };
    private readonly Option<bool> _json = new("--json") { Description = "Print one JSON object when ready." };

    public RigUpVerb(CliContext context)
        : base(
            context,
            "up",
            "Starts the boards and the agent, creates volume 'tank' on first use, and stays in front until Ctrl-C.",
            "mirrorctl rig up",
            "mirrorctl rig up --boards 3 --size 20GiB --dir /tmp/lab --detach --json")
    {
        Add(_boards);
        Add(_size);
        Add(_dir);
        Add(_nbd);
        Add(_nvm);
        Add(_timing);
        Add(_cache);
        Add(_grace);
        Add(_detach);
        Add(_json);
    }

    /// <inheritdoc/>
    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var paths = new RigPaths(parsed.GetValue(_dir));
        var options = new RigOptions
        {
            Boards = parsed.GetValue(_boards),
            SizeBytes = parsed.GetValue(_size) is { } size ? VolumeCreateVerb.CheckSize(size) : null,
            Nbd = parsed.GetValue(_nbd),
            Nvm = parsed.GetValue(_nvm),
            NvmTiming = parsed.GetValue(_timing),
            DiskCache = parsed.GetValue(_cache),
            GraceMs = parsed.GetValue(_grace),
        };
        var json = parsed.GetValue(_json);
        if (parsed.GetValue(_detach))
        {
            return await DetachAsync(paths, options, json, cancellation);
        }

        await using var session = await RigSession.OpenAsync(paths, options, Boards);
        using var signals = new EndSignals(session.Supervisor.DownAsync);
        return await new RigFront(Screen, session, json, signals).RunAsync();
    }

    /// <summary>Starts a supervisor of the same kind without a terminal, and returns when its rig is ready.</summary>
    private async Task<int> DetachAsync(RigPaths paths, RigOptions options, bool json, CancellationToken cancellation)
    {
        // All refusals are said here; the supervisor then finds everything in the folder.
        (await RigSession.PrepareAsync(paths, options)).Dispose();
        var child = Child.Start(new ChildCommand(
            Programs.Agent(), ["rig", RigSuperviseVerb.VerbName, "--dir", paths.Folder], Programs.RuntimeEnvironment(), paths.Log("rig")));
        while (true)
        {
            if (await RigClient.AskAsync(paths, new RigRequest(RigVerb.Ready, [], false), cancellation) is { } rig)
            {
                Print(rig, json);
                return ExitCode.Done;
            }

            if (child.Exited.IsCompleted)
            {
                var exit = await child.Exited;
                throw new CliFault((LogTail.LastLine(paths.Log("rig")) ?? $"The rig's supervisor {exit}") + ".", exit.Code ?? ExitCode.Failed);
            }

            await Task.WhenAny(child.Exited, Task.Delay(ConnectPoll, cancellation));
        }
    }

    private void Print(RigModel rig, bool json)
    {
        if (json)
        {
            Screen.Line(JsonSerializer.Serialize(rig, RigJson.Default.RigModel));
            return;
        }

        foreach (var line in RigText.Ready(rig, new RigPaths(rig.Dir).DirArgument))
        {
            Screen.Markup(line);
        }
    }
}
