using MirrorController.Firmware.Array;
using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <content>Creations that are cut anywhere, and repeated.</content>
public sealed partial class CreationTests
{
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

    private static RecoveryRig Cut(int operation, out bool isCut, bool isDevice = false)
    {
        var rig = new RecoveryRig((ulong)operation);
        var disk = rig.Cluster.Boards[0].Disk;
        disk.IsDevice = isDevice;
        if (isDevice)
        {
            disk.Poke(4096, RecoveryRig.Block(77));
        }

        var creator = StartBoardAndCreator(rig);
        var board = rig.Cluster.Boards[0];
        board.PowerCutAtOperation(operation);
        var answer = BeginCreate(rig, creator, _first, wipe: isDevice);
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
            // The chip's very first superblock was torn: nothing tells it from a stranger's. Or the disk was made, has
            // no label, and the chip does not say that it was made for this volume.
            var disk = rig.Cluster.Boards[0].Disk;
            var isOfThisCreation = rig.Cluster.Board(0).Store.Volume(0)?.Record.VolumeId == VolumeIds.ToGuid(id);
            Assert.True(rig.State(0).StartCounter == 0 || ((disk.WasMade || disk.IsDevice) && !isOfThisCreation), answer.Fault);
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
}
