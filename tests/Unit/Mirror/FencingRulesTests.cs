using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>What a younger session does to an older one (rule O2).</summary>
public sealed class FencingRulesTests
{
    private static readonly Command[] _commands =
    [
        Command.Write, Command.Read, Command.Flush, Command.Retire, Command.Collect, Command.ReplayDone,
        Command.Hash, Command.Copy, Command.Sync, Command.Settle, Command.Finish,
    ];

    [Fact]
    public void A_board_applies_what_it_had_accepted_before_it_answers_a_younger_session()
    {
        var rig = RecoveryRig.Started();
        var old = rig.Session(0);
        rig.Cluster.Boards[0].Disk.Faults.IsHanging = true;
        rig.Cluster.WriteBlock(7, 70);
        rig.World.RunUntil(() => rig.Table(0).Table.Count == 1);
        rig.World.RunFor(2);
        rig.Cluster.Host.PowerCut();
        var hand = HandPeer.Start(rig.Cluster);
        var attach = new FrameHeader { Command = Command.Attach, Session = old + 1 };
        var answer = hand.Begin(0, attach, new WireWriter().U64(5));
        rig.World.RunFor(1500);
        // A board whose disk hangs in this does not answer.
        Assert.False(answer.IsCompleted);
        Assert.Equal(old, rig.Session(0));
        rig.Cluster.Boards[0].Disk.Faults.IsHanging = false;
        var taken = hand.Await(answer);
        Assert.True(taken.IsOk);
        Assert.Equal(RecoveryRig.Block(70), rig.Cluster.PeekBlocks(0, 7));
        var reader = new WireReader(taken.Body);
        Assert.NotNull(BoardState.Read(reader));
        Assert.True(Assert.Single(TableReport.Read(reader)!.Entries).Sure);
    }

    [Fact]
    public void After_a_younger_session_every_command_of_the_older_one_is_refused()
    {
        var rig = RecoveryRig.Started();
        rig.Cluster.Host.PowerCut();
        var number = rig.Session(0) + 1;
        var old = HandPeer.Start(rig.Cluster, "old");
        Assert.True(old.AttachAndEndReplay(0, number, 1).IsOk);
        var young = HandPeer.Start(rig.Cluster, "young");
        Assert.True(young.AttachAndEndReplay(0, number + 1, 2).IsOk);
        Assert.False(old.IsConnected(0));
        old.AwaitLinks();
        var before = rig.State(0);
        foreach (var from in new[] { old, young })
        {
            foreach (var command in _commands)
            {
                var answer = from.Ask(0, Frame(command, number), Body(rig, command));
                Assert.True(answer.Header.Status == WireStatus.Fenced, $"{command} was answered with {answer.Header.Status} {answer.Fault}");
                Assert.Equal(number + 1, answer.Header.Watermark);
            }
        }

        Assert.Equal(WireStatus.Fenced, old.Attach(0, number, 1).Header.Status);
        var after = rig.State(0);
        Assert.Equal((before.Durable, before.Retired, before.Entries, before.Marks), (after.Durable, after.Retired, after.Entries, after.Marks));
        Assert.Equal(new byte[4096], rig.Cluster.PeekBlocks(0, 3));
        // The younger one was not disturbed by any of it.
        Assert.True(young.IsConnected(0));
        Assert.True(young.Ask(0, Frame(Command.Collect, number + 1)).IsOk);
    }

    [Fact]
    public void A_source_gives_no_copy_to_an_older_session()
    {
        var rig = RecoveryRig.Started();
        rig.Cluster.Host.PowerCut();
        var number = rig.Session(0) + 1;
        var peer = HandPeer.Start(rig.Cluster, "peer", HelloRole.Peer);
        var young = HandPeer.Start(rig.Cluster, "young");
        Assert.True(young.AttachAndEndReplay(0, number + 1, 2).IsOk);
        Assert.Equal(WireStatus.Fenced, peer.Ask(0, Frame(Command.CopyRead, number)).Header.Status);
        Assert.True(peer.Ask(0, Frame(Command.CopyRead, number + 1)).IsOk);
    }

    [Fact]
    public void A_copy_of_an_older_session_whose_data_comes_late_is_not_written()
    {
        var rig = RecoveryRig.Started();
        rig.Cluster.Host.PowerCut();
        var number = rig.Session(0) + 1;
        rig.Cluster.Boards[1].Disk.Poke(rig.Cluster.DataOffset + (3 * 4096), RecoveryRig.Block(8));
        var old = HandPeer.Start(rig.Cluster, "old");
        Assert.True(old.AttachAndEndReplay(0, number, 1).IsOk);
        Assert.True(old.AttachAndEndReplay(1, number, 1).IsOk);
        rig.Tap.Holds = f => f.IsReply(Command.CopyRead, rig.NameOf(1));
        _ = old.Begin(0, Frame(Command.Copy, number) with { Tag = rig.State(1).BootId }, Body(rig, Command.Copy));
        rig.World.RunUntil(() => rig.Tap.IsHolding);
        var young = HandPeer.Start(rig.Cluster, "young");
        Assert.True(young.Attach(0, number + 1, 2).IsOk);
        rig.Tap.Release();
        rig.World.RunFor(200);
        Assert.Equal(new byte[4096], rig.Cluster.PeekBlocks(0, 3));
        Assert.Empty(rig.Table(0).Marks);
    }

    [Fact]
    public void A_fenced_coordinator_answers_everything_with_shutdown_and_does_not_open_again()
    {
        var rig = RecoveryRig.Started();
        var sentences = new List<string>();
        rig.Coordinator.OnFenced = sentences.Add;
        rig.Tap.Holds = f => f.Is(Command.Write, rig.NameOf(1)) && f.From == "host";
        var inFlight = rig.Cluster.WriteBlock(4, 40);
        rig.World.RunUntil(() => rig.Tap.IsHolding);
        var rival = new SimNode(rig.World, "rival", rig.Cluster.StartHost);
        rival.Start();
        rig.World.RunUntil(() => rig.Coordinator.Phase == CoordinatorPhase.Fenced);
        rig.Tap.Release();
        Assert.Equal(VolumeError.Shutdown, rig.Cluster.Await(inFlight).Error);
        Assert.Equal(VolumeError.Shutdown, rig.Cluster.Await(rig.Cluster.WriteBlock(5, 50)).Error);
        Assert.Equal(VolumeError.Shutdown, rig.Cluster.Await(rig.Cluster.ReadBlock(5)).Error);
        Assert.Equal(VolumeError.Shutdown, rig.Cluster.Await(rig.Cluster.Flush()).Error);
        var session = ((Coordinator)rival.Instance!).Session.Number;
        Assert.Contains($"session {session}", Assert.Single(sentences), StringComparison.Ordinal);
        rig.World.RunUntil(() => ((Coordinator)rival.Instance!).Phase == CoordinatorPhase.Serving);
        rig.World.RunFor(1000);
        rig.Tap.Frames.Clear();
        // Not even a connection that has to be made anew tempts it.
        rig.World.Fabric.CutLoud("host", rig.NameOf(0));
        rig.World.RunFor(30_000);
        Assert.DoesNotContain(rig.Tap.Frames, f => f.From == "host");
        Assert.Equal(session, rig.Session(0));
        Assert.Equal(VolumeState.Failed, rig.Coordinator.Describe().State);
    }

    private static FrameHeader Frame(Command command, uint session) => new()
    {
        Command = command,
        Session = session,
        Address = 3,
        Count = 1,
        Tag = command == Command.Copy ? 0 : ((ulong)session << 40) | 1,
        Generator = 1,
        Token = command is Command.Hash or Command.Copy or Command.CopyRead or Command.Sync or Command.Settle or Command.Finish ? 1u : 0,
    };

    private static WireWriter? Body(RecoveryRig rig, Command command) => command switch
    {
        Command.Write => new WireWriter().Bytes(RecoveryRig.Block(99)),
        Command.Copy => new WireWriter().Text(rig.NameOf(1)).I32(SimCluster.BoardPort),
        _ => null,
    };
}
