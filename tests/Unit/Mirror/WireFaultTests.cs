using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>Frames that are wrong, towards a board and towards a coordinator: one sentence, one connection, and everybody else goes on.</summary>
public sealed class WireFaultTests
{
    public static TheoryData<string, string> BrokenFrames => new()
    {
        { "magic", "instead of the magic" },
        { "header crc", "header has the CRC" },
        { "payload crc", "payload of the frame Write has the CRC" },
        { "length", "the limit is 524288" },
        { "negative length", "the limit is 524288" },
        { "flags", "reserved bits" },
        { "reserved word", "reserved bits" },
    };

    [Theory]
    [MemberData(nameof(BrokenFrames))]
    public void A_broken_frame_closes_its_connection_at_the_board_and_no_other(string kind, string sentence)
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        var stranger = ScriptedCoordinator.Connect(cluster);
        var before = cluster.World.Log.Count;
        stranger.SendRaw(Broken(kind, stranger.WriteFrame(1, 3)));
        cluster.World.RunUntil(() => stranger.Closed is not null);
        var line = Assert.Single(cluster.World.Log.Skip(before), line => line.Contains("pi-a ", StringComparison.Ordinal));
        Assert.Contains("Warning: A caller at", line, StringComparison.Ordinal);
        Assert.Contains(sentence, line, StringComparison.Ordinal);
        GoesOn(cluster, script);
    }

    [Theory]
    [MemberData(nameof(BrokenFrames))]
    public void A_broken_frame_makes_the_coordinator_connect_anew_and_nothing_is_lost(string kind, string sentence)
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        cluster.Await(cluster.WriteBlock(1, 1));
        var b = cluster.Scripted(1);
        b.Held.Add(Command.Write);
        var write = cluster.WriteBlock(3, 2);
        cluster.World.RunUntil(() => b.Writes.Count == 2);
        b.Held.Clear();
        b.SendRaw(Broken(kind, new FrameHeader { Command = Command.Write }));
        Assert.Equal(VolumeError.None, cluster.Await(write).Error);
        cluster.RunUntilInSync();
        Assert.Equal(2, b.Welcomes);
        Assert.Equal(1, cluster.Scripted(0).Welcomes);
        Assert.Single(cluster.World.Log, line => line.Contains("pi-b", StringComparison.Ordinal) && line.Contains(sentence, StringComparison.Ordinal) && line.Contains("host Warning: Board pi-b at", StringComparison.Ordinal));
    }

    [Fact]
    public void A_command_that_is_wrong_is_refused_in_one_sentence_and_the_connection_goes_on()
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        var blocks = cluster.SizeBytes / SimCluster.BlockBytes;
        foreach (var (block, count) in new[] { (blocks, 1), (blocks - 1, 2), (-1L, 1), (0L, 0), (0L, -1), (0L, 65), (long.MaxValue, 1) })
        {
            var body = new byte[Math.Clamp(count, 0, 65) * SimCluster.BlockBytes];
            Refused(script.Ask(script.WriteFrame(1, block, count), body), WireStatus.Invalid);
            Refused(script.Read(block, count), WireStatus.Invalid);
        }

        Refused(script.Ask(script.WriteFrame(1, 3), new byte[SimCluster.BlockBytes + 1]), WireStatus.Invalid);
        Refused(script.Ask(script.WriteFrame(1, 3)), WireStatus.Invalid);
        Refused(script.Ask(script.WriteFrame(0, 3), new byte[SimCluster.BlockBytes]), WireStatus.Invalid);
        var foreign = script.WriteFrame(1, 3);
        foreign.Tag = Tag.Of(2, 1).Value;
        Refused(script.Ask(foreign, new byte[SimCluster.BlockBytes]), WireStatus.Invalid);
        foreach (var command in new[] { (Command)77, Command.Trim, Command.CopyRead, Command.Hello, Command.None, Command.Copy })
        {
            Refused(script.Ask(script.Frame(command)), WireStatus.Invalid);
        }

        var other = script.WriteFrame(1, 3);
        other.VolumeKey++;
        Refused(script.Ask(other, new byte[SimCluster.BlockBytes]), WireStatus.NoSuchVolume);
        Assert.Equal(0, cluster.Board(0).Table!.Table.Count);
        Assert.Null(script.Closed);
        GoesOn(cluster, script);

        static void Refused(ScriptedFrame answer, WireStatus status)
        {
            Assert.Equal(status, answer.Header.Status);
            Assert.EndsWith(".", answer.Sentence, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_tag_that_comes_again_for_other_blocks_is_refused()
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        script.Await(script.Write(1, 3));
        Assert.Equal(WireStatus.Invalid, script.Await(script.Write(1, 4)).Header.Status);
        Assert.Equal(new byte[SimCluster.BlockBytes], cluster.PeekBlocks(0, 4));
        GoesOn(cluster, script, 2);
    }

    [Fact]
    public void Roles_that_only_look_or_copy_cannot_write()
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        foreach (var role in new[] { HelloRole.Status, HelloRole.Creator, HelloRole.Peer })
        {
            var other = ScriptedCoordinator.Connect(cluster, role: role);
            other.Session = 1;
            Assert.Equal(WireStatus.Invalid, other.Await(other.Write(1, 3)).Header.Status);
            Assert.Equal(WireStatus.Invalid, other.Attach(2, 2).Header.Status);
        }

        GoesOn(cluster, script);
    }

    [Fact]
    public void A_second_coordinator_that_is_not_attached_cannot_write()
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        var other = ScriptedCoordinator.Connect(cluster);
        other.Session = 1;
        Assert.Equal(WireStatus.NotNow, other.Await(other.Write(1, 3)).Header.Status);
        GoesOn(cluster, script);
    }

    [Fact]
    public void Callers_that_the_board_does_not_take_are_refused_in_one_sentence_and_close_nobody()
    {
        var cluster = ScriptedMirror.OneBoard();
        var script = ScriptedCoordinator.Attached(cluster);
        Refused(ScriptedCoordinator.Connect(cluster, secret: new byte[16]), "secret");
        Refused(ScriptedCoordinator.Connect(cluster, change: h => h with { OldestWireVersion = 2, NewestWireVersion = 3 }), "versions 2 to 3");
        Refused(ScriptedCoordinator.Connect(cluster, change: h => h with { VolumeName = "other" }), "not other");
        Refused(ScriptedCoordinator.Connect(cluster, change: h => h with { Volume = new VolumeId(5, 6) }), "with the id");
        Refused(ScriptedCoordinator.Connect(cluster, change: h => h with { Member = 1 }), "not 1");
        Refused(ScriptedCoordinator.Connect(cluster, change: h => h with { Role = (HelloRole)9 }), "malformed");
        GoesOn(cluster, script);

        static void Refused(ScriptedCoordinator caller, string words)
        {
            Assert.False(caller.IsProven);
            Assert.Contains(words, Assert.Single(caller.Received).Sentence, StringComparison.Ordinal);
        }
    }

    public static TheoryData<string> Lies => ["D above L", "D of a younger session", "R above the watermark", "unknown status", "unknown answer", "a command"];

    [Theory]
    [MemberData(nameof(Lies))]
    public void A_board_that_answers_what_cannot_be_is_not_believed_and_the_host_lives_on(string lie)
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        var b = cluster.Scripted(1);
        var command = lie[0] == 'D' ? Command.Flush : Command.Write;
        b.Held.Add(command);
        var write = cluster.WriteBlock(3, 1);
        SimRequest? flush = null;
        if (command == Command.Flush)
        {
            cluster.Await(write);
            flush = cluster.Flush();
        }

        cluster.World.RunUntil(() => b.Of(command).Count == 1);
        b.Held.Clear();
        var frame = b.Received[^1];
        var answer = b.Answer(frame);
        switch (lie)
        {
            case "D above L":
                answer.Tag = Tag.Of(1, 5000).Value;
                break;
            case "D of a younger session":
                answer.Tag = Tag.Of(7, 1).Value;
                break;
            case "R above the watermark":
                answer.Watermark = Tag.Of(1, 5000).Value;
                break;
            case "unknown status":
                answer.Status = (WireStatus)99;
                break;
            case "unknown answer":
                answer.Command = (Command)0x8055;
                break;
            case "a command":
                answer.Command = Command.Write;
                break;
        }

        b.Reply(frame, answer);
        cluster.World.RunUntil(() => b.Welcomes == 2);
        Assert.Single(cluster.World.Log, line => line.Contains("host Warning", StringComparison.Ordinal) && !line.Contains("is away", StringComparison.Ordinal));
        Assert.Equal(VolumeError.None, cluster.Await(write).Error);
        cluster.RunUntilInSync();
        Assert.Equal(VolumeError.None, cluster.Await(cluster.WriteBlock(4, 2)).Error);
        Assert.Equal(VolumeError.None, cluster.Await(cluster.Flush()).Error);
        Assert.True(flush?.IsDone ?? true);
        Assert.Equal(Tag.Of(1, 2), cluster.Coordinator.Watermark);
    }

    [Fact]
    public void An_answer_to_a_read_of_the_wrong_length_is_not_passed_on()
    {
        var cluster = ScriptedBoard.Cluster(new SimWorld(1));
        var (a, b) = ScriptedMirror.Hold(cluster, Command.Read);
        var read = cluster.ReadBlock(3);
        cluster.World.RunUntil(() => a.Of(Command.Read).Count + b.Of(Command.Read).Count == 1);
        var liar = a.Of(Command.Read).Count == 1 ? a : b;
        liar.Reply(liar.Received[^1], liar.Answer(liar.Received[^1]), [5, 0, 7, 7, 7, 7, 7]);
        var other = liar == a ? b : a;
        cluster.World.RunUntil(() => other.Of(Command.Read).Count == 1);
        other.Obey(other.Received[^1]);
        Assert.Equal(new byte[SimCluster.BlockBytes], cluster.Await(read).Data);
        cluster.World.RunUntil(() => liar.Welcomes == 2);
        Assert.DoesNotContain(cluster.World.Log, line => line.Any(char.IsControl));
    }

    private static void GoesOn(SimCluster cluster, ScriptedCoordinator script, ulong sequence = 1)
    {
        Assert.Null(script.Closed);
        Assert.Equal(WireStatus.Ok, script.Await(script.Write(sequence, 9)).Header.Status);
        Assert.Equal(ScriptedCoordinator.Content(sequence), cluster.PeekBlocks(0, 9));
        Assert.Equal(WireStatus.Ok, script.Flush(sequence).Header.Status);
    }

    private static byte[] Broken(string kind, FrameHeader header)
    {
        var payload = kind == "payload crc" ? new byte[SimCluster.BlockBytes] : [];
        header.PayloadLength = kind switch { "length" => FrameHeader.PayloadMax + 1, "negative length" => -1, _ => payload.Length };
        header.PayloadCrc = kind == "payload crc" ? 0x12345678u : 0u;
        header.Flags = kind == "flags" ? (FrameFlags)0x8000 : FrameFlags.None;
        var bytes = new byte[FrameHeader.Size + payload.Length];
        header.WriteTo(bytes);
        switch (kind)
        {
            case "magic":
                bytes[0] ^= 1;
                break;
            case "header crc":
                bytes[50] ^= 1;
                break;
            case "reserved word":
                bytes[80] = 1;
                BitConverter.TryWriteBytes(bytes.AsSpan(84), Crc32C.Compute(bytes.AsSpan(0, 84)));
                break;
        }

        return bytes;
    }
}
