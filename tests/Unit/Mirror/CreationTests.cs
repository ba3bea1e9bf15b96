using MirrorController.Firmware.Array;
using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>How a member is born, and what is never overwritten (section 10a).</summary>
public sealed partial class CreationTests
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

    [Theory]
    [InlineData(-1)]
    [InlineData(512)]
    [InlineData(4086)]
    [InlineData(4096)]
    public void A_file_that_is_there_is_foreign_whatever_it_holds(int signatureAt)
    {
        var rig = new RecoveryRig();
        var disk = rig.Cluster.Boards[0].Disk;
        disk.WasMade = true;
        disk.Poke(Math.Max(0, signatureAt), signatureAt < 0 ? new byte[10] : "SWAPSPACE2"u8);
        var before = disk.Peek(0, 1 << 20);
        var creator = StartBoardAndCreator(rig);
        Assert.Contains("holds something foreign", rig.State(0).Reason, StringComparison.Ordinal);
        AssertRefused(Create(rig, creator, _first), "--wipe");
        Assert.Equal(before, disk.Peek(0, 1 << 20));
        Assert.True(Create(rig, creator, _first, wipe: true).IsOk);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(512)]
    [InlineData(4086)]
    [InlineData(4096)]
    [InlineData(DiskLabel.SecondCopyOffset + 4095)]
    [InlineData((1 << 20) - 1)]
    public void A_block_device_is_foreign_if_anything_stands_in_front_of_the_data(long signatureAt)
    {
        var rig = new RecoveryRig();
        var disk = rig.Cluster.Boards[0].Disk;
        disk.IsDevice = true;
        disk.Poke(signatureAt, [1]);
        var creator = StartBoardAndCreator(rig);
        AssertRefused(Create(rig, creator, _first), "--wipe");
        Assert.Equal([1], disk.Peek(signatureAt, 1));
        Assert.True(Create(rig, creator, _first, wipe: true).IsOk);
        Assert.Equal(1 << 20, rig.State(0).DataOffsetBytes);
    }

    [Theory]
    [InlineData(0x00)]
    [InlineData(0xFF)]
    public void A_block_device_that_is_blank_up_to_the_data_needs_no_wipe_and_is_wholly_zero_then(byte fill)
    {
        var rig = new RecoveryRig();
        var disk = rig.Cluster.Boards[0].Disk;
        disk.IsDevice = true;
        var head = new byte[1 << 20];
        head.AsSpan().Fill(fill);
        disk.Poke(0, head);
        disk.Poke(1 << 20, RecoveryRig.Block(77));
        var creator = StartBoardAndCreator(rig);
        Assert.Contains("Chip and disk are blank", rig.State(0).Reason, StringComparison.Ordinal);
        Assert.True(Create(rig, creator, _first).IsOk);
        Assert.Equal(new byte[1 << 20], disk.Peek(rig.State(0).DataOffsetBytes, 1 << 20));
    }

    [Fact]
    public void A_block_device_half_of_0x00_and_half_of_0xFF_is_foreign()
    {
        var rig = new RecoveryRig();
        rig.Cluster.Boards[0].Disk.IsDevice = true;
        rig.Cluster.Boards[0].Disk.Poke(DiskLabel.HeadBytesMin, new byte[] { 0xFF, 0xFF });
        AssertRefused(Create(rig, StartBoardAndCreator(rig), _first), "--wipe");
    }

    [Fact]
    public void A_creation_on_a_block_device_that_was_cut_is_completed_under_its_id_without_wipe()
    {
        for (var operation = 1; operation < 200; operation++)
        {
            var rig = Cut(operation, out var isCut, isDevice: true);
            if (!isCut)
            {
                Assert.True(operation > 8, $"only {operation - 1} points were met");
                return;
            }

            // Whatever part of it was zeroed: once the chip says that it was given away, nobody is asked again.
            rig.Cluster.Boards[0].Start();
            AssertCreated(rig, _first);
        }

        Assert.Fail("the creation has no end");
    }

    [Fact]
    public void A_disk_that_cannot_be_read_may_be_anybodys_and_is_not_overwritten_with_wipe_either()
    {
        var rig = new RecoveryRig();
        var creator = StartBoardAndCreator(rig);
        var disk = rig.Cluster.Boards[0].Disk;
        disk.WasMade = true;
        disk.Poke(0, RecoveryRig.Block(77));
        disk.Faults.FailReads = 2;
        Assert.Equal(WireStatus.Invalid, Create(rig, creator, _first, wipe: true).Header.Status);
        Assert.Equal(RecoveryRig.Block(77), disk.Peek(0, 4096));
        Assert.True(Create(rig, creator, _first, wipe: true).IsOk);
    }

    [Fact]
    public void A_disk_of_the_same_volume_but_another_chip_is_no_leftover_of_a_cut_creation()
    {
        var live = new RecoveryRig(1);
        Assert.True(Create(live, StartBoardAndCreator(live), _first).IsOk);
        live.Cluster.Boards[0].PowerCut();

        // Cut when the chip says that the creation has begun.
        for (var operation = 1; ; operation++)
        {
            var rig = Cut(operation, out var isCut);
            Assert.True(isCut);
            var board = rig.Cluster.Boards[0];
            board.Start();
            rig.World.RunFor(100);
            if (!rig.State(0).Reason.Contains("was not completed", StringComparison.Ordinal))
            {
                continue;
            }

            BoardImage.Of(live.Cluster.Boards[0]).RestoreDiskTo(board);
            board.Disk.WasMade = true;
            AssertRefused(Create(rig, HandPeer.Start(rig.Cluster, "again", HelloRole.Creator), _first, wipe: true), "never overwritten");
            return;
        }
    }

    [Theory]
    [InlineData("another kind")]
    [InlineData("another kind, another id")]
    [InlineData("volume superblock")]
    [InlineData("newer")]
    public void A_chip_with_a_superblock_of_ours_is_never_formatted(string what)
    {
        var live = new RecoveryRig();
        Assert.True(Create(live, StartBoardAndCreator(live), _first).IsOk);
        var world = new SimWorld(2);
        // A live member's chip, taken for one with other pages, and its disk is away.
        var cluster = new SimCluster(world, boards: 1, sizeBytes: 1 << 20, eeprom: what.StartsWith("another kind", StringComparison.Ordinal));
        var chip = cluster.Boards[0].Nvm;
        live.Cluster.Boards[0].Nvm.Bytes.CopyTo(chip.Bytes);
        if (what == "volume superblock")
        {
            // Both copies, in each a byte: the board's own superblock stays whole.
            chip.Bytes[530] ^= 1;
            chip.Bytes[530 + 640] ^= 1;
        }
        else if (what == "newer")
        {
            chip.Bytes[8] = chip.Bytes[256 + 8] = 2;
        }

        var before = chip.Bytes.ToArray();
        cluster.Boards[0].Start();
        var creator = HandPeer.Start(cluster, "creator", HelloRole.Creator);
        var id = what.EndsWith("another id", StringComparison.Ordinal) ? _other : _first;
        AssertRefused(creator.Ask(0, new FrameHeader { Command = Command.Create }, cluster.CreateBody(0, id)), "never overwritten");
        AssertRefused(creator.Ask(0, new FrameHeader { Command = Command.Create }, cluster.CreateBody(0, id, wipe: true)), "never overwritten");
        Assert.Equal(before, chip.Bytes.ToArray());
    }

    [Fact]
    public void A_chip_whose_superblocks_are_both_damaged_is_overwritten_only_with_wipe()
    {
        var rig = new RecoveryRig();
        var creator = StartBoardAndCreator(rig);
        Assert.True(Create(rig, creator, _first).IsOk);
        rig.Cluster.Boards[0].PowerCut();
        rig.Cluster.Boards[0].Nvm.Bytes[30] ^= 1;
        rig.Cluster.Boards[0].Nvm.Bytes[256 + 30] ^= 1;
        rig.Cluster.Boards[0].Disk.WasMade = false;
        rig.Cluster.Boards[0].Start();
        rig.World.RunFor(1000);
        creator.AwaitLinks();
        Assert.Contains("counts as blank", rig.State(0).Reason, StringComparison.Ordinal);
        AssertRefused(Create(rig, creator, _first), "--wipe");
        Assert.True(Create(rig, creator, _first, wipe: true).IsOk);
    }

    [Fact]
    public void A_repeated_creation_that_asks_for_another_volume_is_refused_and_says_in_what_it_differs()
    {
        var rig = new RecoveryRig();
        var creator = StartBoardAndCreator(rig);
        Assert.True(Create(rig, creator, _first).IsOk);
        var before = BoardImage.Of(rig.Cluster.Boards[0]);
        foreach (var checkOnly in new[] { true, false })
        {
            AssertRefused(Repeat(r => r with { View = FirstView(rig, 3) }), "has 2 members, not 3;");
            AssertRefused(Repeat(r => r with { View = FirstView(rig, id: 43) }), "has another first view ");
            AssertRefused(Repeat(r => r with { Member = 1 }), "has here its member 0, not 1;");
            AssertRefused(Repeat(r => r with { BlockBytes = 512 }), "has blocks of 4096 bytes, not 512;");
            AssertRefused(Repeat(r => r with { SizeMaxBytes = 1 << 30 }), "may grow to 16777216 bytes, not 1073741824;");
            AssertRefused(
                Repeat(r => r with { SizeBytes = 4096, View = View.First(SessionId.None, 42, MemberSet.Range(2), 4096) }),
                "has 1048576 bytes, not 4096;");
            Assert.True(Repeat(r => r with { SizeMaxBytes = 16 << 20 }).IsOk);

            LinkAnswer Repeat(Func<CreateRequest, CreateRequest> change) => Create(rig, creator, _first, wipe: true, checkOnly, change);
        }

        Assert.True(before.IsSameAs(BoardImage.Of(rig.Cluster.Boards[0])));
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

    private static View FirstView(RecoveryRig rig, int members = 2, ulong id = 42) => View.First(SessionId.None, id, MemberSet.Range(members), rig.Cluster.SizeBytes);

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

    private static LinkAnswer Create(
        RecoveryRig rig, HandPeer creator, VolumeId id, bool wipe = false, bool checkOnly = false, Func<CreateRequest, CreateRequest>? change = null) =>
        creator.Await(BeginCreate(rig, creator, id, wipe, checkOnly, change));

    private static Task<LinkAnswer> BeginCreate(
        RecoveryRig rig, HandPeer creator, VolumeId id, bool wipe, bool checkOnly = false, Func<CreateRequest, CreateRequest>? change = null)
    {
        var writer = new WireWriter();
        var request = new CreateRequest
        {
            Volume = id,
            Name = SimCluster.VolumeName,
            Member = 0,
            BlockBytes = SimCluster.BlockBytes,
            SizeBytes = rig.Cluster.SizeBytes,
            Wipe = wipe,
            CheckOnly = checkOnly,
            View = FirstView(rig),
        };
        (change?.Invoke(request) ?? request).WriteTo(writer);
        return creator.Begin(0, new FrameHeader { Command = Command.Create }, writer);
    }
}
