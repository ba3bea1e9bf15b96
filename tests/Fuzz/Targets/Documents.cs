using System.Net;
using System.Text.Json;
using MirrorController.Firmware.Configuration;
using MirrorController.HostAgent.Cli;
using MirrorController.HostAgent.Configuration;
using MirrorController.HostAgent.Control;
using MirrorController.HostAgent.Rig;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>What is JSON: configurations, the agent's answers, the rig's files and messages.</summary>
internal static class Documents
{
    private static readonly byte[][] Json = Texts.Bytes(
        "null", "{}", "[]", "[null]", "{", "}", "[", "]", "\"", "\\ud800", "\\u0000", "\\", "//", "/*", "-1", "1e999", "9223372036854775808", "0x50", "true", ",", ":", "\n", "/", "\u00e9");

    public static IEnumerable<FuzzTarget> All =>
    [
        new Document("board-configuration", "an operator", DecodeBoard, BoardSeeds, ["\"nvm\"", "\"file\"", "\"bus\"", "\"kind\"", "\"disk\"", "\"path\"", "\"device\"", "\"volatile\"", "\"seed\"", "\"secretFile\""]),
        new Document("agent-configuration", "an operator", DecodeAgent, AgentSeeds, ["\"boards\"", "\"address\"", "\"http\"", "\"nbd\"", "\"[::1]:5\"", "\"a b:5\"", "\"secretFile\"", "\"log\""]),
        new Document("control-status", "the agent's HTTP address", DecodeStatus, () => [JsonSerializer.SerializeToUtf8Bytes(Status, ControlJson.Default.StatusModel)], ["\"volumes\"", "\"members\"", "\"warnings\"", "\"atRisk\"", "\"since\"", "\"0001-01-01T00:00:00+14:00\""]),
        new Document("control-verify", "the agent's HTTP address", DecodeVerify, VerifySeeds, ["\"result\"", "\"differences\"", "\"fault\"", "\n"]),
        new Document("rig-request", "the rig's socket", DecodeRequest, RequestSeeds, ["\"nodes\"", "\"verb\"", "\"silent\""]),
        new Document("rig-reply", "the rig's socket", DecodeReply, ReplySeeds, ["\"rig\"", "\"boards\"", "\"host\"", "\"fault\""]),
        new Document("rig-state", "a rig's folder", DecodeState, () => [JsonSerializer.SerializeToUtf8Bytes(State, RigJson.Default.RigState)], ["\"boards\"", "\"format\"", "\"nbd\""]),
    ];

    private static StatusModel Status => new()
    {
        Version = "1.2.3",
        Volumes =
        [
            new VolumeModel
            {
                Name = "tank",
                State = HostAgent.Control.VolumeState.InSync,
                SizeBytes = 1L << 30,
                Nbd = "nbd://127.0.0.1:10809/tank",
                Members = [Member("pi-a", MemberSync.InSync), Member("pi-b", MemberSync.Away)],
                AtRisk = new AtRiskModel(4096, 5),
                LastRecovery = new RecoveryModel(1, 2, 3),
                Session = 7,
                WaitingFor = "pi-b [x]",
                Outlook = "none",
                Warnings = ["one"],
            },
        ],
    };

    private static VerifyModel Verified => new() { Volume = "tank", Equal = false, ComparedBytes = 5, SizeBytes = 6, Differences = [new DifferenceModel(1, 2)], Milliseconds = 3 };

    private static RigModel Rig => new()
    {
        Nbd = "nbd://127.0.0.1:10809/tank",
        Http = "http://127.0.0.1:7780/",
        Dir = "/rig",
        Volume = "tank",
        SizeBytes = 5,
        Supervisor = 6,
        Boards = [new RigBoardModel { Name = "pi-a", Pid = 1, Dir = "/rig/pi-a", DataFile = "x", DataOffset = 5, Address = "127.0.0.1:1", Log = "y", Process = NodeProcess.Running }],
        Host = new RigHostModel { Pid = 2, Config = "z", Log = "l", Process = NodeProcess.Cut, Reason = "cut" },
    };

    private static RigState State => new()
    {
        SizeBytes = 5,
        Nvm = "fram",
        NvmTiming = "none",
        DiskCache = "volatile",
        GraceMs = 30_000,
        Nbd = "127.0.0.1:10809",
        Http = "127.0.0.1:7780",
        Boards = [new RigBoardState { Name = "pi-a", Listen = "127.0.0.1:7710" }],
    };

    private static MemberModel Member(string board, MemberSync sync) => new()
    {
        Board = board,
        Member = 0,
        Connection = MemberConnection.Connected,
        Sync = sync,
        Reason = "silent",
        Since = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
        NvmKind = "fram",
        NvmUsedPercent = 3,
    };

    private static byte[][] BoardSeeds() => Texts.Bytes(
        """{ "name": "pi-a", "listen": "192.168.7.11:7710", "secret": "00112233445566778899aabbccddeeff", "nvm": { "kind": "fram", "bus": 1, "address": "0x50" }, "disk": { "path": "/dev/sda", "kind": "device" }, }""",
        """
        { // Emulated.
          "name": "pi-b", "secret": "00112233445566778899aabbccddeeff", "nvmTiming": "real", "volumesMax": 2, "seed": 5,
          "nvm": { "kind": "eeprom", "file": "nvm.img" },
          "disk": { "path": "disk.img", "cache": "volatile" } }
        """);

    private static byte[][] AgentSeeds() => Texts.Bytes(
        """
        { "volume": "tank", "nbd": "127.0.0.1:10809", "http": "127.0.0.1:7780", "secret": "00112233445566778899aabbccddeeff", "grace": "30s", "log": "a.log",
          "boards": [ { "name": "pi-a", "address": "10.0.0.1:7710", "peerAddress": "192.168.0.1:7710" }, { "name": "pi-b", "address": "[::1]:7710" } ] }
        """);

    private static byte[][] VerifySeeds() =>
    [
        [
            .. JsonSerializer.SerializeToUtf8Bytes(new VerifyLine { DoneBytes = 1, TotalBytes = 6 }, ControlJson.Default.VerifyLine), (byte)'\n',
            .. JsonSerializer.SerializeToUtf8Bytes(new VerifyLine { DoneBytes = 6, TotalBytes = 6, Result = Verified }, ControlJson.Default.VerifyLine), (byte)'\n',
        ],
    ];

    private static byte[][] RequestSeeds() =>
    [
        [.. JsonSerializer.SerializeToUtf8Bytes(new RigRequest(RigVerb.Cut, ["pi-a", "host"], true), RigJson.Default.RigRequest), (byte)'\n'],
        JsonSerializer.SerializeToUtf8Bytes(new RigRequest(RigVerb.Status, [], false), RigJson.Default.RigRequest),
    ];

    private static byte[][] ReplySeeds() =>
    [
        JsonSerializer.SerializeToUtf8Bytes(new RigReply(Rig, null, 0), RigJson.Default.RigReply),
        JsonSerializer.SerializeToUtf8Bytes(new RigReply(null, "no", 64), RigJson.Default.RigReply),
    ];

    private static bool DecodeBoard(ReadOnlySpan<byte> bytes)
    {
        var board = BoardConfiguration.Read(FuzzFolder.Write("board.json", bytes), out var file);
        return board is null ? Refused(file.FirstFault()) : board.Disk.Missing() is null || board.Name.Length > 0;
    }

    private static bool DecodeAgent(ReadOnlySpan<byte> bytes)
    {
        var agent = AgentConfiguration.Read(FuzzFolder.Write("agent.json", bytes), out var file);
        if (agent is null)
        {
            return Refused(file.FirstFault());
        }

        // What the verbs make of it.
        using var client = new ControlClient(agent.HttpUri);
        return agent.VolumeId != Guid.Empty && new Uri(agent.NbdUri).Port > 0 | agent.Nbd.Port == 0;
    }

    private static bool DecodeStatus(ReadOnlySpan<byte> bytes)
    {
        using var answer = new Answer(bytes.ToArray());
        using var client = new ControlClient(new Uri("http://127.0.0.1:1/"), answer);
        if (Now(client.GetStatusAsync(CancellationToken.None)) is not { } status)
        {
            return false;
        }

        var screen = Screen.Plain(TextWriter.Null, TextWriter.Null);
        foreach (var line in StatusTree.Lines(status).Concat(StatusTree.Lines(status, onlyUnhealthy: true)))
        {
            screen.Markup(line);
        }

        _ = JsonSerializer.Serialize(status, ControlJson.Default.StatusModel);
        return StatusVerb.CodeOf(status) >= 0;
    }

    private static bool DecodeVerify(ReadOnlySpan<byte> bytes)
    {
        using var answer = new Answer(bytes.ToArray());
        using var client = new ControlClient(new Uri("http://127.0.0.1:1/"), answer);
        try
        {
            var result = Now(client.VerifyAsync("tank", (_, _) => { }, CancellationToken.None));
            return result is not null && result.Volume.Length + result.Differences.Sum(d => d.LengthBytes % 2) >= 0;
        }
        catch (ControlException e) when (e.Message.Length > 0)
        {
            return false;
        }
    }

    private static bool DecodeRequest(ReadOnlySpan<byte> bytes) =>
        RigRequest.Read(bytes) is { } request && request.Nodes.All(n => n.Length >= 0);

    private static bool DecodeReply(ReadOnlySpan<byte> bytes)
    {
        if (RigReply.Read(bytes) is not { } reply)
        {
            return false;
        }

        return reply.Rig is null || reply.Rig.Boards.All(b => b.Name.Length + b.Address.Length >= 0 && reply.Rig.Host.Config.Length >= 0);
    }

    private static bool DecodeState(ReadOnlySpan<byte> bytes)
    {
        FuzzFolder.Write("rig.json", bytes);
        try
        {
            var state = RigState.Load(new RigPaths(Path.GetDirectoryName(FuzzFolder.File("rig.json"))));
            return state is not null && state.Boards.All(b => b.Name.Length + b.Listen.Length >= 0) && state.Nbd.Length + state.Http.Length + state.Volume.Length + state.Nvm.Length >= 0;
        }
        catch (CliFault fault)
        {
            return Refused(fault.Message);
        }
    }

    private static T Now<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private static bool Refused(string? sentence) =>
        sentence is { Length: > 0 } ? false : throw new InvalidOperationException("refused without a sentence");

    private sealed class Document(string name, string source, Decode decode, Func<byte[][]> seeds, string[] words) : FuzzTarget(name, source)
    {
        public override int CheckInRuns => 1200;

        // A client or a file's reader, and what the serializer keeps.
        public override long AllocationFixedBytes => 1 << 20;

        public override int AllocationPerInputByte => 512;

        public override IReadOnlyList<byte[]> Words { get; } = [.. Json, .. Texts.Bytes(words)];

        public override IEnumerable<byte[]> Seeds() => seeds();

        public override bool Run(ReadOnlySpan<byte> input) => decode(input);
    }

    /// <summary>An agent that answers with the input.</summary>
    private sealed class Answer(byte[] bytes) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(bytes) });
    }
}
