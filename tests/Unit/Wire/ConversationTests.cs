using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Wire;

/// <summary>What docs/wire-protocol.md says of a board's answers, asked frame by frame.</summary>
public sealed class ConversationTests
{
    private const uint Session = 1;
    private readonly SimCluster _cluster;
    private readonly RawCaller _caller;
    private ulong _boot;
    private uint _key;
    private ulong _lastId;

    public ConversationTests()
    {
        var world = new SimWorld(77);
        _cluster = new SimCluster(world);
        _cluster.Boards.ForEach(b => b.Start());
        _cluster.CreateVolume();
        _caller = new RawCaller(world, "caller", _cluster.Options.Boards[0].Address);
    }

    [Fact]
    public void The_example_of_the_document_runs_as_it_is_written()
    {
        GetIn();
        var (survey, body) = Ask(new FrameHeader { Command = Command.Survey });
        Assert.Equal(0u, BoardState.Read(new WireReader(body))!.Session.Number);
        Assert.Equal(_boot, survey.BootId);

        var reader = new WireReader(Ask(Of(Command.Attach), Id(0xAB)).Body);
        Assert.Equal(Session, BoardState.Read(reader)!.Session.Number);
        Assert.Empty(TableReport.Read(reader)!.Entries);

        Assert.Equal(WireStatus.NotNow, Ask(Of(Command.Read) with { Count = 1 }).Header.Status);
        Assert.Equal(WireStatus.Ok, Ask(Of(Command.ReplayDone)).Header.Status);
        Assert.Equal(WireStatus.Ok, Ask(Of(Command.Collect)).Header.Status);
        Assert.Equal(WireStatus.NotNow, Ask(Of(Command.Settle) with { Token = 1 }).Header.Status);
        Assert.Equal(WireStatus.Ok, Ask(Of(Command.WriteBack) with { Token = 1 }).Header.Status);
        Assert.Equal(WireStatus.Ok, Ask(Of(Command.Sync) with { Token = 1 }).Header.Status);
        Assert.Equal(WireStatus.NotNow, Ask(Of(Command.Finish) with { Token = 1 }).Header.Status);
        AssertMarks(Ask(Of(Command.Settle) with { Token = 1 }).Header, durable: Tag.Of(1, 0), retired: Tag.None);
        AssertMarks(Ask(Of(Command.Finish) with { Token = 1 }).Header, durable: Tag.Of(1, 0), retired: Tag.Of(1, 0));

        var data = SimApplication.Pattern(5, SimCluster.BlockBytes);
        var write = Of(Command.Write) with { Tag = Tag.Of(1, 1).Value, Address = 7, Count = 1, Generator = 1, Watermark = Tag.Of(1, 0).Value };
        var written = Ask(write, data).Header;
        Assert.Equal((WireStatus.Ok, Tag.Of(1, 1).Value, 1ul, Tag.Of(1, 0).Value), (written.Status, written.Tag, written.Token, written.Watermark));
        Assert.Equal(data, Ask(Of(Command.Read) with { Address = 7, Count = 1 }).Body);

        AssertMarks(Ask(Of(Command.Flush) with { Tag = Tag.Of(1, 1).Value, Watermark = Tag.Of(1, 0).Value }).Header, Tag.Of(1, 1), Tag.Of(1, 0));
        var retired = Ask(Of(Command.Retire) with { Watermark = Tag.Of(1, 1).Value, Token = 1 }).Header;
        Assert.Equal((WireStatus.Ok, Tag.Of(1, 1).Value), (retired.Status, retired.Watermark));
        reader = new WireReader(Ask(Of(Command.Collect)).Body);
        Assert.Equal(Tag.Of(1, 1), BoardState.Read(reader)!.Retired);
        Assert.Empty(TableReport.Read(reader)!.Entries);

        // At or below D: answered at once, with token 0.
        var again = Ask(write with { RequestId = 0 }, data).Header;
        Assert.Equal((WireStatus.Ok, 0ul), (again.Status, again.Token));
    }

    [Fact]
    public void Session_boot_volume_role_and_form_are_judged_as_written()
    {
        GetIn();
        Assert.Equal(WireStatus.NotNow, Ask(Of(Command.Read) with { Session = 0, Count = 1 }).Header.Status);
        Assert.Equal(WireStatus.WrongBoot, Ask(Of(Command.Attach) with { BootId = _boot + 1 }, Id(1)).Header.Status);
        Assert.Equal(WireStatus.Invalid, Ask(Of(Command.Attach) with { Session = 65_537 }, Id(1)).Header.Status);
        Assert.Equal(WireStatus.Ok, Ask(Of(Command.Attach) with { Session = 3 }, Id(1)).Header.Status);
        Assert.Equal((WireStatus.Fenced, 3ul), StatusAndWatermark(Ask(Of(Command.Attach) with { Session = 3 }, Id(2)).Header));
        Assert.Equal((WireStatus.Fenced, 3ul), StatusAndWatermark(Ask(Of(Command.Flush) with { Session = 2 }).Header));
        var open = Of(Command.ReplayDone) with { Session = 3 };
        Assert.Equal(WireStatus.Invalid, Ask(open with { Session = 4 }).Header.Status);
        Assert.Equal(WireStatus.WrongBoot, Ask(open with { BootId = 1 }).Header.Status);
        Assert.Equal(WireStatus.NoSuchVolume, Ask(open with { VolumeKey = _key + 1 }).Header.Status);
        Assert.Equal(WireStatus.Ok, Ask(open).Header.Status);
        foreach (var command in new[] { Command.StoreView, Command.Trim, Command.WriteZeroes, Command.CopyRead, Command.Create, (Command)99 })
        {
            var (header, body) = Ask(open with { Command = command });
            Assert.Equal(WireStatus.Invalid, header.Status);
            Assert.NotEmpty(new WireReader(body).Text());
        }

        Assert.Equal(WireStatus.Ok, Ask(open with { Command = Command.Hash, Count = 1, Token = 5 }).Header.Status);
        Assert.Equal(WireStatus.StaleAttempt, Ask(open with { Command = Command.Hash, Count = 1, Token = 4 }).Header.Status);
        Assert.Equal(WireStatus.Invalid, Ask(open with { Command = Command.Retire, Watermark = Tag.Of(3, 9).Value }).Header.Status);
        Assert.Null(_caller.ClosedBecause);
    }

    [Fact]
    public void Who_only_looks_gets_state_and_table_and_nothing_else()
    {
        GetIn(HelloRole.Status);
        Assert.Equal(WireStatus.Ok, Ask(new FrameHeader { Command = Command.Survey }).Header.Status);
        Assert.Equal(WireStatus.Ok, Ask(new FrameHeader { Command = Command.Collect }).Header.Status);
        Assert.Equal(WireStatus.Invalid, Ask(Of(Command.Attach), Id(1)).Header.Status);
        Assert.Equal(0u, _cluster.Board(0).Describe().Session.Number);
    }

    [Fact]
    public void A_command_before_the_proof_closes_the_connection()
    {
        _caller.Send(new FrameHeader { Command = Command.Survey });
        _caller.AwaitClosed();
    }

    [Fact]
    public void A_wrong_proof_is_refused_with_a_sentence()
    {
        var writer = new WireWriter();
        new Hello { Role = HelloRole.Status, Nonce = new byte[Hello.NonceSize] }.WriteTo(writer);
        Assert.Equal(Command.Challenge, _caller.Ask(new FrameHeader { Command = Command.Hello }, writer.Written.ToArray()).Header.Command);
        var (refused, body) = _caller.Ask(new FrameHeader { Command = Command.Proof }, new byte[HelloProof.Size]);
        Assert.Equal((Command.Refused, WireStatus.NotAccepted), (refused.Command, refused.Status));
        Assert.Contains("secret", new WireReader(body).Text(), StringComparison.Ordinal);
        _caller.AwaitClosed();
    }

    private static byte[] Id(ulong id) => new WireWriter().U64(id).Written.ToArray();

    private static (WireStatus Status, ulong Watermark) StatusAndWatermark(FrameHeader header) => (header.Status, header.Watermark);

    private static void AssertMarks(FrameHeader header, Tag durable, Tag retired) =>
        Assert.Equal((WireStatus.Ok, durable, retired), (header.Status, new Tag(header.Tag), new Tag(header.Watermark)));

    private void GetIn(HelloRole role = HelloRole.Coordinator)
    {
        (_boot, var state) = _caller.GetIn(role, _cluster.Options.Secret);
        _key = state.Volume.Key;
        Assert.Equal(BoardCondition.Member, state.Condition);
    }

    private FrameHeader Of(Command command) => new() { Command = command, VolumeKey = _key, Session = Session, BootId = _boot };

    private (FrameHeader Header, byte[] Body) Ask(FrameHeader header, byte[]? body = null)
    {
        header.RequestId = ++_lastId;
        var answer = _caller.Ask(header, body);
        Assert.Equal(header.Command | Command.Reply, answer.Header.Command);
        Assert.Equal(_lastId, answer.Header.RequestId);
        Assert.Equal(_boot, answer.Header.BootId);
        return answer;
    }
}
