using MirrorController.Firmware.Array;
using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>How a member is born, and what is never overwritten (section 10a).</summary>
public sealed class CreationTests
{
    private static readonly VolumeId _first = new(1, 2);
    private static readonly VolumeId _other = new(3, 4);

    [Fact]
    public void A_blank_board_says_so_and_a_creation_makes_it_a_member()
    {
        var rig = new RecoveryRig();
        rig.Cluster.Boards.ForEach(b => b.Start());
        rig.World.RunFor(100);
        Assert.Equal(BoardCondition.Blank, rig.State(0).Condition);
        Assert.Contains("waits for a creation", rig.State(0).Reason, StringComparison.Ordinal);
        var creator = HandPeer.Start(rig.Cluster, "creator", HelloRole.Creator);
        Assert.True(Create(rig, creator, _first, checkOnly: true).IsOk);
        Assert.Equal(BoardCondition.Blank, rig.State(0).Condition);
        Assert.True(Create(rig, creator, _first).IsOk);
        Assert.Equal((BoardCondition.Member, _first, 0), (rig.State(0).Condition, rig.State(0).Volume, rig.State(0).Member));
        Assert.NotNull(rig.State(0).View);
        // Repeated under its id it is there already, and nothing is done.
        var before = BoardImage.Of(rig.Cluster.Boards[0]);
        Assert.True(Create(rig, creator, _first).IsOk);
        Assert.True(before.IsSameAs(BoardImage.Of(rig.Cluster.Boards[0])));
    }

    [Fact]
    public void A_foreign_chip_is_overwritten_only_with_wipe()
    {
        var rig = new RecoveryRig();
        var chip = rig.Cluster.Boards[0].Nvm;
        "another program's data"u8.CopyTo(chip.Bytes);
        var creator = StartBoardAndCreator(rig);
        Assert.Equal(BoardCondition.Unusable, rig.State(0).Condition);
        var refused = Create(rig, creator, _first);
        Assert.Equal(WireStatus.Invalid, refused.Header.Status);
        Assert.Contains("--wipe", refused.Fault, StringComparison.Ordinal);
        Assert.True(chip.Bytes.StartsWith("another program's data"u8));
        Assert.True(Create(rig, creator, _first, wipe: true).IsOk);
        Assert.Equal(BoardCondition.Member, rig.State(0).Condition);
    }

    [Fact]
    public void A_foreign_disk_is_overwritten_only_with_wipe_and_then_wholly_zero()
    {
        var rig = new RecoveryRig();
        var disk = rig.Cluster.Boards[0].Disk;
        disk.WasMade = true;
        for (var at = 0; at < 2 << 20; at += 4096)
        {
            disk.Poke(at, RecoveryRig.Block(77));
        }

        var creator = StartBoardAndCreator(rig);
        var refused = Create(rig, creator, _first);
        Assert.Equal(WireStatus.Invalid, refused.Header.Status);
        Assert.Contains("--wipe", refused.Fault, StringComparison.Ordinal);
        Assert.Equal(RecoveryRig.Block(77), disk.Peek(0, 4096));
        Assert.True(Create(rig, creator, _first, wipe: true).IsOk);
        Assert.Equal(new byte[1 << 20], disk.Peek(rig.State(0).DataOffsetBytes, 1 << 20));
        Assert.Equal(0, disk.UnsyncedSectors);
    }

    [Fact]
    public void A_volume_is_never_overwritten()
    {
        var rig = RecoveryRig.Started();
        rig.Cluster.Await(rig.Cluster.WriteBlock(4, 40));
        rig.Settle();
        rig.Cluster.Host.PowerCut();
        var creator = HandPeer.Start(rig.Cluster, "creator", HelloRole.Creator);
        AssertRefused(Create(rig, creator, _first, wipe: true), "never overwritten");
        Assert.Equal(BoardCondition.Member, rig.State(0).Condition);

        // Its disk beside a chip that is new: not a pair, and still somebody's data.
        rig.Cluster.Boards[0].PowerCut();
        rig.Cluster.Boards[0].Nvm.Blank(0);
        rig.Cluster.Boards[0].Start();
        rig.World.RunFor(1000);
        creator.AwaitLinks();
        Assert.Equal(BoardCondition.Unusable, rig.State(0).Condition);
        Assert.Contains("not a pair", rig.State(0).Reason, StringComparison.Ordinal);
        AssertRefused(Create(rig, creator, _first, wipe: true), "never overwritten");
        Assert.Equal(RecoveryRig.Block(40), rig.Cluster.Boards[0].Disk.Peek(rig.State(1).DataOffsetBytes + (4 * 4096), 4096));
    }

    [Fact]
    public void A_disk_that_is_not_the_chips_is_refused_with_a_sentence()
    {
        var rig = RecoveryRig.Started();
        rig.Cluster.Host.PowerCut();
        rig.Cluster.Boards.ForEach(b => b.PowerCut());
        var (a, b) = (BoardImage.Of(rig.Cluster.Boards[0]), BoardImage.Of(rig.Cluster.Boards[1]));
        a.RestoreDiskTo(rig.Cluster.Boards[1]);
        b.RestoreDiskTo(rig.Cluster.Boards[0]);
        rig.Cluster.Boards.ForEach(x => x.Start());
        rig.Cluster.Host.Start();
        rig.World.RunFor(3000);
        Assert.Equal(BoardCondition.Unusable, rig.State(0).Condition);
        Assert.Contains("is that of member 1", rig.State(0).Reason, StringComparison.Ordinal);
        Assert.Contains("is that of member 0", rig.State(1).Reason, StringComparison.Ordinal);
        Assert.Equal(VolumeState.Waiting, rig.Coordinator.Describe().State);
        Assert.Contains("is that of member 1", rig.Coordinator.Describe().WaitingFor, StringComparison.Ordinal);

        // Put right, nothing was lost by it.
        rig.Cluster.Boards.ForEach(x => x.PowerCut());
        a.RestoreDiskTo(rig.Cluster.Boards[0]);
        b.RestoreDiskTo(rig.Cluster.Boards[1]);
        rig.Cluster.Boards.ForEach(x => x.Start());
        rig.Cluster.RunUntilInSync();
    }

    [Fact]
    public void A_disk_of_the_same_member_beside_another_chip_is_refused_with_a_sentence()
    {
        var rigs = new[] { new RecoveryRig(1), new RecoveryRig(2) };
        foreach (var rig in rigs)
        {
            Assert.True(Create(rig, StartBoardAndCreator(rig), _first).IsOk);
            rig.Cluster.Boards[0].PowerCut();
        }

        // Volume, member and size are the same: only the chip's identity tells.
        BoardImage.Of(rigs[1].Cluster.Boards[0]).RestoreDiskTo(rigs[0].Cluster.Boards[0]);
        rigs[0].Cluster.Boards[0].Start();
        rigs[0].World.RunFor(100);
        Assert.Equal(BoardCondition.Unusable, rigs[0].State(0).Condition);
        Assert.Contains("not a pair", rigs[0].State(0).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_creation_that_was_cut_anywhere_is_completed_under_its_id_and_begun_anew_under_another(bool underAnother)
    {
        var points = 0;
        while (CutAndRepeat(points + 1, underAnother))
        {
            points++;
            Assert.True(points < 200);
        }

        Assert.True(points > 8, $"only {points} points were met");
    }

    [Fact]
    public void A_creation_anew_that_was_cut_anywhere_can_be_repeated()
    {
        // Cut late, when the label of the first one is there and the member is not.
        var last = 0;
        while (CutAndRepeat(last + 1, false))
        {
            last++;
        }

        var points = 0;
        for (var first = Math.Max(1, last - 4); first <= last; first++)
        {
            for (var second = 1; CutTwice(first, second); second++)
            {
                points++;
            }
        }

        Assert.True(points > 8, $"only {points} points were met");
    }

    /// <summary>Cuts a creation, then one under another id; false when that one was not cut or could not be begun.</summary>
    private static bool CutTwice(int first, int second)
    {
        var rig = Cut(first, out _);
        var board = rig.Cluster.Boards[0];
        board.Start();
        rig.World.RunFor(100);
        if (rig.State(0).Condition == BoardCondition.Member || !board.Disk.Peek(0, 8).AsSpan().SequenceEqual("MirrCtlL"u8))
        {
            return false;
        }

        var creator = HandPeer.Start(rig.Cluster, "second", HelloRole.Creator);
        board.PowerCutAtOperation(second);
        var answer = BeginCreate(rig, creator, _other, false);
        rig.World.RunUntil(() => answer.IsCompleted);
        if (board.IsRunning)
        {
            Assert.True(answer.Result.IsOk, answer.Result.Fault);
            return false;
        }

        creator.Stop();
        board.Start();
        rig.World.RunFor(100);
        if (rig.State(0).Condition != BoardCondition.Member)
        {
            AssertCreated(rig, _other);
        }

        return true;
    }

    private static bool CutAndRepeat(int operation, bool underAnother)
    {
        var rig = Cut(operation, out var isCut);
        if (isCut)
        {
            rig.Cluster.Boards[0].Start();
            AssertCreated(rig, underAnother ? _other : _first);
        }

        return isCut;
    }

    private static RecoveryRig Cut(int operation, out bool isCut)
    {
        var rig = new RecoveryRig((ulong)operation);
        var creator = StartBoardAndCreator(rig);
        var board = rig.Cluster.Boards[0];
        board.PowerCutAtOperation(operation);
        var answer = BeginCreate(rig, creator, _first, false);
        rig.World.RunUntil(() => answer.IsCompleted);
        isCut = !board.IsRunning;
        Assert.True(isCut || answer.Result.IsOk);
        rig.World.RunFor(10);
        creator.Stop();
        return rig;
    }

    private static void AssertCreated(RecoveryRig rig, VolumeId id)
    {
        var creator = HandPeer.Start(rig.Cluster, "again", HelloRole.Creator);
        if (rig.State(0).Condition == BoardCondition.Member)
        {
            // The cut came when all was stored, before the answer: it exists, and is never overwritten.
            Assert.Equal(_first, rig.State(0).Volume);
            Assert.Equal(id == _first, Create(rig, creator, id, wipe: true).IsOk);
            return;
        }

        var answer = Create(rig, creator, id);
        if (!answer.IsOk && answer.Fault.Contains("--wipe", StringComparison.Ordinal))
        {
            // The chip's very first superblock was torn: nothing tells it from a stranger's.
            Assert.Equal(0u, rig.State(0).StartCounter);
            answer = Create(rig, creator, id, wipe: true);
        }

        Assert.True(answer.IsOk, $"{answer.Fault} {rig.World.Story}");
        rig.RestartBoard(0);
        rig.World.RunFor(100);
        Assert.Equal((BoardCondition.Member, id), (rig.State(0).Condition, rig.State(0).Volume));
        Assert.NotNull(rig.State(0).View);
        Assert.Equal(0, rig.Table(0).Table.Count);
        Assert.Equal(new byte[1 << 20], rig.Cluster.Boards[0].Disk.Peek(rig.State(0).DataOffsetBytes, 1 << 20));
    }

    private static HandPeer StartBoardAndCreator(RecoveryRig rig)
    {
        rig.Cluster.Boards[0].Start();
        return HandPeer.Start(rig.Cluster, "creator", HelloRole.Creator);
    }

    private static void AssertRefused(LinkAnswer answer, string reason)
    {
        Assert.Equal(WireStatus.Invalid, answer.Header.Status);
        Assert.Contains(reason, answer.Fault, StringComparison.Ordinal);
    }

    private static LinkAnswer Create(RecoveryRig rig, HandPeer creator, VolumeId id, bool wipe = false, bool checkOnly = false) =>
        creator.Await(BeginCreate(rig, creator, id, wipe, checkOnly));

    private static Task<LinkAnswer> BeginCreate(RecoveryRig rig, HandPeer creator, VolumeId id, bool wipe, bool checkOnly = false)
    {
        var writer = new WireWriter();
        new CreateRequest
        {
            Volume = id,
            Name = SimCluster.VolumeName,
            Member = 0,
            BlockBytes = SimCluster.BlockBytes,
            SizeBytes = rig.Cluster.SizeBytes,
            Wipe = wipe,
            CheckOnly = checkOnly,
            View = View.First(SessionId.None, 42, MemberSet.Range(2), rig.Cluster.SizeBytes),
        }.WriteTo(writer);
        return creator.Begin(0, new FrameHeader { Command = Command.Create }, writer);
    }
}
