using System.Net;
using System.Text;
using MirrorController.Firmware.Array;
using MirrorController.Firmware.Configuration;
using MirrorController.Firmware.Disks;
using MirrorController.HostAgent.Cli;
using MirrorController.HostAgent.Configuration;
using MirrorController.HostAgent.Control;
using MirrorController.HostAgent.Rig;
using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;
using MirrorController.Tests.Unit.Nbd;
using MirrorController.Tests.Unit.Nvm;
using MirrorController.Tests.Unit.Rig;

namespace MirrorController.Tests.Unit.Fuzz;

/// <summary>What the fuzzing targets found, each as small as it can be shown.</summary>
public sealed class FoundByFuzzingTests : IDisposable
{
    private const string Secret = "00112233445566778899aabbccddeeff";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_range_of_any_width_takes_little_memory_in_the_index_and_is_found()
    {
        var table = new TagTable();
        var wide = table.NewEntry();
        wide.Tag = Tag.Of(1, 1);
        wide.Range = new BlockRange(5, int.MaxValue);
        var before = GC.GetAllocatedBytesForCurrentThread();
        table.Add(wide);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000);
        var narrow = table.NewEntry();
        narrow.Tag = Tag.Of(1, 2);
        narrow.Range = new BlockRange(100, 100);
        table.Add(narrow);
        Assert.Equal([narrow.Tag, wide.Tag], Overlapping(table, new BlockRange(150, 1)));
        Assert.Equal([wide.Tag], Overlapping(table, new BlockRange(1_000_000, 1)));
        Assert.Empty(Overlapping(table, new BlockRange(4, 1)));
        table.Remove(wide.Tag);
        Assert.Equal([narrow.Tag], Overlapping(table, new BlockRange(150, 1)));
    }

    [Theory]
    [InlineData("an entry of more blocks than one can have", new byte[] { 0x48, 1, 0x80, 0x80, 0x80, 0x01 })]
    [InlineData("an entry that ends beyond the last block", new byte[] { 0x48, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 2 })]
    [InlineData("a mark that ends beyond the last block", new byte[] { 8, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 2, 1, 1 })]
    public void A_record_is_malformed_that_is(string what, byte[] bytes)
    {
        var reader = BatchReader.Over(bytes, new FoundBatch(0, bytes.Length, 1, false), new RingContext());
        Assert.False(reader.TryNext(out _), what);
        Assert.True(reader.IsMalformed, what);
    }

    [Fact]
    public void A_chip_whose_log_names_blocks_beyond_the_volume_is_refused()
    {
        var rig = StoreRig.Fresh();
        rig.Append(1, 1_000_000);
        rig.CommitGood();
        var smaller = StoreRig.Record(sizeBytes: 1 << 20, sizeMaxBytes: 1 << 20);
        NvmLayout.TryMake(32768, 1, 1, out var layout, out _);
        for (var copy = 0; copy < 2; copy++)
        {
            VolumeSuperblock.Write(rig.Chip.Image.AsSpan(layout!.VolumeAddress(0, copy)), smaller, rig.Store.ChipId, 0, copy, 50 + (ulong)copy);
        }

        var result = new StoreRig([.. rig.Chip.Image], 1).Open();
        Assert.Equal(NvmOpenState.Damaged, result.State);
        Assert.Contains("names block 1000000 of volume tank", result.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_head_beyond_all_positions_that_a_chip_lives_to_see_is_damage()
    {
        var board = new BoardSuperblock { ChipBytes = 32768, PageBytes = 1, VolumesMax = 1, RingOffset = 1792, RingBytes = 1 << 14, HeadPosition = long.MaxValue & ~((1L << 14) - 1), Directory = [Guid.Empty] };
        var bytes = new byte[BoardSuperblock.Size];
        board.WriteTo(bytes, 0);
        Assert.Equal(SuperblockState.Damaged, BoardSuperblock.Read(bytes, 0, out _, out _, out _));
    }

    [Theory]
    [InlineData(513, 1 << 20, 1 << 20)]
    [InlineData(4096, 5000, 1 << 20)]
    public void A_label_whose_sizes_are_no_whole_blocks_is_damage(int blockBytes, long sizeBytes, long sizeMaxBytes)
    {
        var label = new DiskLabel
        {
            Volume = new VolumeId(1, 2),
            Name = "tank",
            Member = 0,
            BlockBytes = blockBytes,
            SizeBytes = sizeBytes,
            SizeMaxBytes = sizeMaxBytes,
            ChipId = Guid.Empty,
            DataOffsetBytes = DiskLabel.DataOffsetFor(sizeMaxBytes, blockBytes),
        };
        var bytes = new byte[DiskLabel.Size];
        label.WriteTo(bytes, 0);
        Assert.Equal(LabelState.Damaged, DiskLabel.Read(bytes, 0, out _));
    }

    [Theory]
    [InlineData(CacheRecordKind.Zero, 0, long.MaxValue)]
    [InlineData(CacheRecordKind.Dropped, -1, 5)]
    [InlineData(CacheRecordKind.Zero, 126, 3)]
    [InlineData((CacheRecordKind)9, 0, 1)]
    internal void A_cache_record_that_is_not_of_the_disk_ends_the_log(CacheRecordKind kind, long firstSector, long sectorCount)
    {
        using var log = new CacheLog(_folder.File("cache"), 64 * 512);
        log.Append(CacheRecordKind.Zero, 5, 2);
        log.Append(kind, firstSector, sectorCount);
        Assert.Single(log.ReadAll(128));
    }

    [Theory]
    [InlineData("\\ud800", "no valid UTF-8 or UTF-16")]
    [InlineData("\\u0000", "holds a zero character")]
    public void A_configuration_with_a_text_that_is_none_is_refused_with_its_line(string text, string sentence)
    {
        Assert.Null(BoardConfiguration.Read(_folder.Write("board.json", "{ \"name\": \"a\",\n \"disk\": { \"path\": \"" + text + "\" } }"), out var file));
        Assert.Contains(sentence, file.FirstFault(), StringComparison.Ordinal);
        Assert.Contains("line 2", file.FirstFault(), StringComparison.Ordinal);
        Assert.Null(BoardConfiguration.Read(_folder.Write("board.json", "{\n\"" + text + "\": 1 }"), out file));
        Assert.Contains("line 2", file.FirstFault(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("12168.0.1:777.0.0.1:10809")]
    [InlineData("a b:7780")]
    [InlineData("?:7780")]
    [InlineData("h: 5")]
    [InlineData("h:+5")]
    public void An_address_that_no_host_can_have_is_refused(string address)
    {
        Assert.False(NodeAddress.TryParse(address, out _));
        var json = $$"""{ "volume": "tank", "http": "{{address}}", "secret": "{{Secret}}", "boards": [ { "name": "a", "address": "h:1" } ] }""";
        Assert.Null(AgentConfiguration.Read(_folder.Write("agent.json", json), out var file));
        Assert.Contains("must be HOST:PORT", file.FirstFault(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pi-b", 70000)]
    [InlineData("pi-b", -1)]
    [InlineData("", 7710)]
    [InlineData("a b", 7710)]
    public void A_copy_from_where_no_host_can_be_is_refused_and_the_board_goes_on(string host, int port)
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        var copy = script.Frame(Command.Copy);
        copy.Count = 1;
        copy.Token = 1;
        var answer = script.Ask(copy, new WireWriter().Text(host).I32(port).Written.ToArray());
        Assert.Equal(WireStatus.Invalid, answer.Header.Status);
        Assert.Equal(WireStatus.Ok, script.Await(script.Write(1, 9)).Header.Status);
    }

    [Theory]
    [InlineData(9u, 1001ul, "tells of session 9 and boot 1001")]
    [InlineData(1u, 77ul, "tells of session 1 and boot 77")]
    public void A_board_that_attaches_with_marks_of_another_session_or_boot_is_refused_and_the_host_lives_on(uint session, ulong boot, string words)
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        cluster.Await(cluster.WriteBlock(1, 1));
        var b = cluster.Scripted(1);
        b.Held.Add(Command.Attach);
        b.Disconnect();
        cluster.World.RunUntil(() => b.Of(Command.Attach).Count == 2);
        var state = new BoardState
        {
            Board = "pi-b",
            BootId = boot,
            StartCounter = 1,
            Volume = SimCluster.Volume,
            VolumeName = SimCluster.VolumeName,
            Member = 1,
            BlockBytes = SimCluster.BlockBytes,
            SizeBytes = cluster.SizeBytes,
            Session = new SessionId(session, 1),
            Durable = Tag.Of(1, 5000),
            CapacityEntries = 1000,
        };
        var body = new WireWriter();
        state.WriteTo(body);
        new TableReport().WriteTo(body);
        b.Reply(b.Received[^1], b.Answer(b.Received[^1]), body.Written.ToArray());
        cluster.World.RunFor(1000);
        Assert.Single(cluster.World.Log, line => line.Contains("host Error", StringComparison.Ordinal) && line.Contains(words, StringComparison.Ordinal));
        b.Held.Clear();
        b.Disconnect();
        cluster.RunUntilInSync();
    }

    [Theory]
    [InlineData(16, 4096, 1 << 20, 5)]
    [InlineData(65535, 4096, 1 << 20, 5)]
    [InlineData(1, 0, 1 << 20, 5)]
    [InlineData(1, 4096, 0, 5)]
    [InlineData(1, 4096, 5000, 5)]
    [InlineData(1, 4096, 1 << 20, -1)]
    public void A_board_that_is_a_member_as_no_board_can_be_is_not_connected_and_the_host_lives_on(int member, int blockBytes, long sizeBytes, int capacity)
    {
        var world = new SimWorld(1);
        var cluster = new SimCluster(world, makeBoard: (i, context) => new ScriptedBoard(context, i, 2, 4L << 20));
        cluster.Boards.ForEach(b => b.Start());
        var state = new BoardState
        {
            Board = "pi-b",
            BootId = 1001,
            Volume = SimCluster.Volume,
            VolumeName = SimCluster.VolumeName,
            Member = (ushort)member,
            BlockBytes = blockBytes,
            SizeBytes = sizeBytes,
            CapacityEntries = capacity,
            View = View.First(SessionId.None, 42, MemberSet.Range(2), 4L << 20),
        };
        var body = new WireWriter();
        state.WriteTo(body);
        cluster.Scripted(1).Account = body.Written.ToArray();
        cluster.Host.Start();
        world.RunFor(1000);
        Assert.Contains(world.Log, line => line.Contains("pi-b at pi-b:7710 sent a malformed state", StringComparison.Ordinal));
        cluster.Scripted(1).Account = null;
        cluster.RunUntilInSync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_chip_whose_marks_contradict_each_other_is_not_used(bool isRetired)
    {
        var cluster = ScriptedMirror.OneBoard();
        var board = cluster.Boards[0];
        board.PowerCut();
        var loop = new SimLoop(cluster.World, "forger");
        var store = new NvmStore(loop, board.Nvm.Open(loop), new SimRandom(1), new ListLog());
        Task? forged = null;
        loop.Enter(() => forged = ForgeAsync());
        cluster.World.RunUntil(() => forged!.IsCompleted);
        Assert.True(forged!.IsCompletedSuccessfully);
        board.Start();
        cluster.World.RunFor(100);
        var state = cluster.Board(0).Describe();
        Assert.Equal(BoardCondition.Unusable, state.Condition);
        Assert.Contains("contradicts itself: volume tank is in session 0", state.Reason, StringComparison.Ordinal);

        async Task ForgeAsync()
        {
            Assert.Equal(NvmOpenState.Ok, (await store.OpenAsync()).State);
            Assert.True((await store.StartAsync()).IsOk);
            if (isRetired)
            {
                store.SetRetired(0, Tag.Of(9, 9));
            }
            else
            {
                store.SetDurable(0, Tag.Of(9, 9));
            }

            var done = new StoreRig.Outcome();
            store.Commit(done);
            await Task.Yield();
        }
    }

    [Fact]
    public void A_text_of_a_peer_forges_no_line_of_a_log() =>
        Assert.Equal("a?b?", new WireReader(new WireWriter().Text("a\nb\u001b").Written.ToArray()).Text());

    [Theory]
    [InlineData("ta\nnk")]
    [InlineData("../tank")]
    public void A_volumes_name_on_a_chip_is_one_that_a_volume_can_have(string name) =>
        Assert.Contains("letters, digits", VolumeSuperblock.Judge(StoreRig.Record() with { Name = name }), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"version":"1","volumes":null}""")]
    [InlineData("""{"version":"1","volumes":[null]}""")]
    [InlineData("""{"version":"1","volumes":[{"name":"t","state":"InSync","sizeBytes":1,"nbd":"n","members":[null],"atRisk":{"bytes":0,"oldestMs":0},"session":1}]}""")]
    [InlineData("""{"version":"1","volumes":[{"name":"t","state":"InSync","sizeBytes":1,"nbd":"n","members":[],"atRisk":null,"session":1}]}""")]
    public async Task A_status_with_nothing_where_something_must_be_is_no_answer(string json)
    {
        using var client = ClientOf(json);
        Assert.Null(await client.GetStatusAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_status_with_a_number_that_is_none_is_no_answer()
    {
        using var client = ClientOf(OneMember("1e999", "fram"));
        Assert.Null(await client.GetStatusAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_name_of_a_memory_chip_is_no_markup()
    {
        using var client = ClientOf(OneMember("5", "fram [[x"));
        var status = await client.GetStatusAsync(TestContext.Current.CancellationToken);
        using var output = new StringWriter();
        Screen.Plain(output, TextWriter.Null).Markup(StatusTree.Lines(status!)[1]);
        Assert.Contains("fram [[x 5% full", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_status_without_members_or_warnings_is_shown()
    {
        using var client = ClientOf("""{"version":"1","volumes":[{"name":"t","state":"InSync","sizeBytes":1,"nbd":"n","members":[],"atRisk":{"bytes":0,"oldestMs":0},"session":1}]}""");
        var status = await client.GetStatusAsync(TestContext.Current.CancellationToken);
        Assert.Contains("0/0 boards in sync", StatusTree.Lines(status!)[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("null\n")]
    [InlineData("""{"result":{"volume":"t","equal":true,"comparedBytes":1,"sizeBytes":1,"differences":[null],"milliseconds":1}}""")]
    public async Task A_comparison_that_tells_nothing_is_an_agent_that_went_away(string lines)
    {
        using var client = ClientOf(lines);
        await Assert.ThrowsAsync<ControlException>(() => client.VerifyAsync("t", (_, _) => { }, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_line_without_end_is_not_collected_for_ever()
    {
        using var client = new ControlClient(new Uri("http://127.0.0.1:1/"), new Answer(() => new StreamContent(new Endless())));
        await Assert.ThrowsAsync<ControlException>(() => client.VerifyAsync("t", (_, _) => { }, TestContext.Current.CancellationToken));
        Assert.Null(await client.GetStatusAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("""{"verb":"Cut","nodes":null,"silent":false}""")]
    [InlineData("""{"verb":"Cut","nodes":[null],"silent":false}""")]
    [InlineData("""{"verb":"Cut","silent":false}""")]
    [InlineData("null")]
    public void A_request_to_the_rig_without_its_nodes_is_none(string line) => Assert.Null(RigRequest.Read(Encoding.UTF8.GetBytes(line)));

    [Fact]
    public void A_rigs_state_with_a_board_that_is_nothing_is_refused_and_one_without_a_volumes_name_is_tank()
    {
        const string Rest = "\"format\":1,\"sizeBytes\":5,\"nvm\":\"fram\",\"nvmTiming\":\"none\",\"diskCache\":\"none\",\"graceMs\":1,\"nbd\":\"a:1\",\"http\":\"a:2\"";
        var paths = new RigPaths(Path.GetDirectoryName(_folder.Write("rig.json", "{" + Rest + ",\"boards\":[null]}")));
        Assert.Contains("cannot be used", Assert.Throws<CliFault>(() => RigState.Load(paths)).Message, StringComparison.Ordinal);
        _folder.Write("rig.json", "{" + Rest + ",\"boards\":[]}");
        Assert.Equal("tank", RigState.Load(paths)!.Volume);
    }

    private static string OneMember(string percent, string chip) =>
        "{\"version\":\"1\",\"volumes\":[{\"name\":\"t\",\"state\":\"InSync\",\"sizeBytes\":1,\"nbd\":\"n\",\"members\":[{\"board\":\"a\",\"member\":0,\"connection\":\"Connected\","
        + $"\"sync\":\"InSync\",\"since\":\"2026-01-02T03:04:05+00:00\",\"nvmKind\":\"{chip}\",\"nvmUsedPercent\":{percent}}}],\"atRisk\":{{\"bytes\":0,\"oldestMs\":0}},\"session\":1}}]}}";

    private static List<Tag> Overlapping(TagTable table, BlockRange range)
    {
        var tags = new List<Tag>();
        foreach (var entry in table.Overlapping(range))
        {
            tags.Add(entry.Tag);
        }

        return tags;
    }

    private static ControlClient ClientOf(string answer) => new(new Uri("http://127.0.0.1:1/"), new Answer(() => new StringContent(answer)));

    private sealed class Answer(Func<HttpContent> content) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = content() });
    }

    /// <summary>Says the same for ever, and is looked at only so far.</summary>
    private sealed class Endless : MemoryStream
    {
        private const long ReadMax = 1L << 27;
        private long _read;

        public override int Read(Span<byte> buffer)
        {
            _read += buffer.Length;
            Assert.True(_read < ReadMax, "it is read for ever");
            buffer.Fill((byte)' ');
            return buffer.Length;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(Read(buffer, offset, count));
    }
}
