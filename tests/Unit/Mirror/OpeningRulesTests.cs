using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>Which session may open, and when (rules O1 and O3).</summary>
public sealed class OpeningRulesTests
{
    [Fact]
    public void A_new_session_has_a_number_above_every_number_found()
    {
        var rig = RecoveryRig.Started();
        rig.Cluster.Host.PowerCut();
        var hand = HandPeer.Start(rig.Cluster);
        var highest = rig.Session(0) + 40;
        Assert.True(hand.Attach(1, highest, 77).IsOk);
        hand.Stop();
        rig.Cluster.Host.Start();
        rig.Cluster.RunUntilInSync();
        Assert.Equal(highest + 1, rig.Session(0));
        Assert.Equal(highest + 1, rig.Session(1));
        Assert.Equal(rig.State(0).Session, rig.State(1).Session);
        Assert.Equal(2, rig.Tap.Frames.Count(f => f.Header.Command == Command.Attach && f.From == "host"));
    }

    [Fact]
    public void A_board_stores_a_session_before_it_answers()
    {
        for (ulong seed = 1; seed <= 5; seed++)
        {
            var rig = RecoveryRig.Started(seed, world: new SimOptions { NvmDelayMaxMicros = 5000 });
            var old = rig.Session(0);
            // The power goes in the moment in which the host hears that the session is taken.
            rig.Tap.Arrives = f =>
            {
                for (var board = 0; board < 2; board++)
                {
                    if (f.IsReply(Command.Attach, rig.NameOf(board)))
                    {
                        rig.Cluster.Boards[board].PowerCut();
                    }
                }
            };
            rig.RestartHost();
            rig.World.RunUntil(() => rig.Cluster.Boards.TrueForAll(b => !b.IsRunning));
            rig.Tap.Arrives = null;
            rig.Cluster.Host.PowerCut();
            rig.RestartAllBoards();
            Assert.Equal(old + 1, rig.Session(0));
            Assert.Equal(old + 1, rig.Session(1));
        }
    }

    [Fact]
    public void An_equal_number_with_another_id_is_refused_and_the_stored_one_attaches_again()
    {
        var rig = RecoveryRig.Started();
        rig.Cluster.Host.PowerCut();
        var one = HandPeer.Start(rig.Cluster, "one");
        var two = HandPeer.Start(rig.Cluster, "two");
        var number = rig.Session(0) + 1;
        Assert.True(one.Attach(0, number, 111).IsOk);
        var refused = two.Attach(0, number, 222);
        Assert.Equal(WireStatus.Fenced, refused.Header.Status);
        Assert.Equal(number, refused.Header.Watermark);
        Assert.Equal(111u, rig.State(0).Session.Id);
        // The live one is not cut off by the one that was refused.
        Assert.True(one.IsConnected(0));
        Assert.True(one.Ask(0, new FrameHeader { Command = Command.Collect, Session = number }).IsOk);
        Assert.True(one.Attach(0, number, 111).IsOk);
    }

    [Fact]
    public void A_jump_of_more_than_65536_is_refused_and_one_of_65536_is_taken()
    {
        var rig = RecoveryRig.Started();
        rig.Cluster.Host.PowerCut();
        var hand = HandPeer.Start(rig.Cluster);
        var old = rig.State(0).Session;
        var answer = hand.Attach(0, old.Number + 65537, 5);
        Assert.Equal(WireStatus.Invalid, answer.Header.Status);
        Assert.Contains("too far above", answer.Fault, StringComparison.Ordinal);
        Assert.Equal(old, rig.State(0).Session);
        Assert.True(hand.Attach(0, old.Number + 65536, 5).IsOk);
        Assert.Equal(old.Number + 65536, rig.Session(0));
    }

    [Fact]
    public void An_opening_that_was_beaten_waits_for_a_random_time_and_draws_a_higher_number()
    {
        var pauses = new HashSet<long>();
        for (ulong seed = 1; seed <= 4; seed++)
        {
            var rig = RecoveryRig.Started(seed);
            rig.Cluster.Host.PowerCut();
            var hand = HandPeer.Start(rig.Cluster);
            var rival = rig.Session(0) + 7;
            rig.Tap.Holds = f => f.Is(Command.Attach, rig.NameOf(1)) && f.From == "host";
            rig.Cluster.Host.Start();
            rig.World.RunUntil(() => rig.Tap.IsHolding);
            // It has asked and counted; now another opening comes between.
            Assert.True(hand.Attach(1, rival, 9).IsOk);
            rig.Tap.Frames.Clear();
            rig.Tap.Release();
            rig.World.RunUntil(() => rig.Tap.Frames.Exists(f => f.IsReply(Command.Attach, rig.NameOf(1)) && f.Header.Status == WireStatus.Fenced));
            var beaten = rig.World.NowMicros;
            rig.World.RunUntil(() => rig.Tap.Frames.Exists(f => f.Is(Command.Attach, rig.NameOf(1)) && f.Header.Session == rival + 1));
            var pauseMs = (rig.World.NowMicros - beaten) / 1000;
            Assert.InRange(pauseMs, 1000, 2100);
            pauses.Add(pauseMs);
            rig.Cluster.RunUntilInSync();
        }

        Assert.True(pauses.Count > 1, "the pause is always the same");
    }

    [Fact]
    public void Of_two_hosts_that_open_together_exactly_one_serves_in_the_end()
    {
        for (ulong seed = 1; seed <= 12; seed++)
        {
            var rig = RecoveryRig.Started(seed);
            rig.Cluster.Host.PowerCut();
            var rival = new SimNode(rig.World, "rival", rig.Cluster.StartHost);
            rig.Cluster.Host.Start();
            rival.Start();
            rig.World.RunFor(30_000);
            var hosts = new[] { rig.Coordinator, (Coordinator)rival.Instance! };
            Assert.True(hosts.Count(h => h.Describe().State == VolumeState.InSync) == 1, rig.World.Story);
            Assert.True(hosts.Count(h => h.Phase == CoordinatorPhase.Fenced) == 1, $"{hosts[0].Phase} {hosts[1].Phase}. {rig.World.Story}");
            var serving = hosts.Single(h => h.Phase == CoordinatorPhase.Serving);
            Assert.Equal(serving.Session, rig.State(0).Session);
            Assert.Equal(serving.Session, rig.State(1).Session);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Nothing_is_opened_before_every_member_has_answered(int missing)
    {
        var rig = RecoveryRig.Started();
        var old = rig.Session(1 - missing);
        rig.Cluster.Host.PowerCut();
        rig.Cluster.Boards[missing].PowerCut(silent: true);
        rig.Cluster.Host.Start();
        rig.World.RunUntil(() => rig.Coordinator.SizeBytes > 0);
        var write = rig.Cluster.WriteBlock(5, 50);
        var read = rig.Cluster.ReadBlock(6);
        rig.World.RunFor(40_000);
        Assert.False(write.IsDone);
        Assert.False(read.IsDone);
        Assert.Equal(old, rig.Session(1 - missing));
        var status = rig.Coordinator.Describe();
        Assert.Equal(VolumeState.Waiting, status.State);
        Assert.Contains(rig.NameOf(missing), status.WaitingFor, StringComparison.Ordinal);
        rig.Cluster.Boards[missing].Start();
        Assert.Equal(VolumeError.None, rig.Cluster.Await(write).Error);
        Assert.Equal(VolumeError.None, rig.Cluster.Await(read).Error);
        rig.Cluster.RunUntilInSync();
    }

    [Fact]
    public void A_board_that_answers_the_survey_and_not_the_opening_is_waited_for()
    {
        var rig = RecoveryRig.Started();
        rig.Tap.Holds = f => f.Is(Command.Attach, rig.NameOf(1));
        rig.RestartHost();
        rig.World.RunUntil(() => rig.Coordinator.SizeBytes > 0);
        var write = rig.Cluster.WriteBlock(5, 50);
        rig.World.RunFor(2000);
        Assert.False(write.IsDone);
        Assert.Equal(CoordinatorPhase.Opening, rig.Coordinator.Phase);
        Assert.Equal(0, rig.Tap.Count(Command.Collect));
        rig.Tap.Release();
        Assert.Equal(VolumeError.None, rig.Cluster.Await(write).Error);
    }
}
