using System.Text;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>
/// A whole board and what a caller sends it. First byte: in which role the caller has proven the secret, or 0 for one that has
/// not. The board must live on and answer another caller, whatever became of this one.
/// </summary>
internal sealed class BoardFrames() : FuzzTarget("board", "a peer's connection")
{
    private const int SizeBytes = 1 << 20;
    private const uint Session = 2;
    private static readonly Lazy<ulong> BootId = new(() =>
    {
        var cluster = Board();
        return ScriptedCoordinator.Connect(cluster, role: HelloRole.Status).BootId;
    });

    public override int CheckInRuns => 60;

    public override int InputBytesMax => 8192;

    // The simulated world around the board and its story.
    public override long AllocationFixedBytes => 24 << 20;

    public override int AllocationPerInputByte => 4096;

    public override IEnumerable<byte[]> Seeds()
    {
        yield return [0, .. FrameBytes.Make(new FrameHeader { Command = Command.Hello }, WireSamples.Body(WireSamples.Hello.WriteTo))];
        foreach (var frames in Conversations())
        {
            yield return [(byte)HelloRole.Coordinator, .. frames.SelectMany(f => f)];
        }

        yield return [(byte)HelloRole.Status, .. Frame(Command.Survey), .. Frame(Command.Collect), .. Frame(Command.Ping)];
        yield return [(byte)HelloRole.Creator, .. Frame(Command.Create, body: WireSamples.Body(WireSamples.Creation.WriteTo)), .. Frame(Command.Survey)];
        yield return [(byte)HelloRole.Peer, .. Frame(Command.Survey), .. Frame(Command.CopyRead, address: 3, count: 1, token: 1)];
    }

    public override void Seal(Span<byte> input)
    {
        if (input.Length > 0)
        {
            FrameBytes.Seal(input[1..]);
        }
    }

    public override bool Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return false;
        }

        var cluster = Board();
        var watcher = ScriptedCoordinator.Connect(cluster, role: HelloRole.Status);
        var caller = Enum.IsDefined((HelloRole)input[0])
            ? ScriptedCoordinator.Connect(cluster, role: (HelloRole)input[0])
            : ScriptedCoordinator.Connect(cluster, secret: new byte[16]);
        var mute = new MuteCaller(cluster);
        if (caller.IsProven)
        {
            caller.SendRaw(input[1..].ToArray());
        }
        else
        {
            mute.SendRaw(input[1..].ToArray());
        }

        cluster.World.RunFor(2500);
        Story.Check(cluster.World);
        if (watcher.Closed is not null || watcher.Ask(watcher.Frame(Command.Survey)).Header.Status != WireStatus.Ok)
        {
            throw new InvalidOperationException($"the board did not go on: {cluster.World.Story}");
        }

        if (!ScriptedCoordinator.Connect(cluster).IsProven)
        {
            throw new InvalidOperationException($"the board lets nobody in any more: {cluster.World.Story}");
        }

        var isGood = caller.IsProven ? caller.Closed is null && caller.Received.Exists(f => f.Header.Status == WireStatus.Ok) : mute.Closed is null || mute.Answered;
        cluster.Boards[0].PowerCut();
        cluster.Boards[0].Start();
        cluster.World.RunFor(500);
        return cluster.Board(0).Describe().Condition == BoardCondition.Member
            ? isGood
            : throw new InvalidOperationException($"the board has lost its member: {cluster.World.Story}");
    }

    private static SimCluster Board()
    {
        var cluster = new SimCluster(new SimWorld(1), boards: 1, sizeBytes: SizeBytes);
        cluster.Boards[0].Start();
        cluster.CreateVolume();
        return cluster;
    }

    private static IEnumerable<byte[][]> Conversations()
    {
        byte[][] open = [Frame(Command.Attach, body: WireSamples.Body(w => w.U64(1))), Frame(Command.ReplayDone)];
        yield return
        [
            .. open,
            Write(1, 3, 1), Write(2, 3, 2, FrameFlags.Fua), Frame(Command.Read, address: 3, count: 2),
            Frame(Command.Flush, tag: Tag.Of(Session, 2).Value), Frame(Command.Retire, watermark: Tag.Of(Session, 2).Value),
            Frame(Command.Collect), Frame(Command.Survey), Frame(Command.Ping),
        ];
        yield return
        [
            .. open,
            Write(1, 5, 1), Frame(Command.Collect), Frame(Command.Hash, address: 0, count: 16, token: 1), Frame(Command.Hash, tag: 1, address: 0, count: 16, token: 1),
            Frame(Command.Copy, address: 5, count: 1, token: 1, body: WireSamples.Body(w => w.Text("pi-b").I32(7710))),
            Frame(Command.Sync, token: 1), Frame(Command.Settle, token: 1, tag: Tag.Of(Session, 0).Value),
            Frame(Command.Finish, token: 1, tag: Tag.Of(Session, 0).Value, body: WireSamples.Body(w => RangeList.Write(w, [new(7, 2)]))),
            Frame(Command.Read, address: 5, count: 1),
        ];
        yield return [open[0], Write(1, 3, 1, FrameFlags.Resent), Write(2, 3, 1), Frame(Command.Read, address: 3, count: 1), open[1], Frame(Command.Read, address: 3, count: 1)];
    }

    private static byte[] Write(ulong sequence, long block, int count, FrameFlags flags = FrameFlags.None) =>
        Frame(Command.Write, tag: Tag.Of(Session, sequence).Value, address: block, count: count, body: new byte[count * SimCluster.BlockBytes], flags: flags);

    private static byte[] Frame(
        Command command, ulong tag = 0, long address = 0, int count = 0, ulong token = 0, ulong watermark = 0, byte[]? body = null, FrameFlags flags = FrameFlags.None) =>
        FrameBytes.Make(
            new FrameHeader
            {
                Command = command,
                Flags = flags,
                RequestId = 7,
                VolumeKey = SimCluster.Volume.Key,
                Session = Session,
                BootId = BootId.Value,
                Tag = tag,
                Address = address,
                Count = count,
                Token = token,
                Watermark = watermark,
            },
            body);
}
