using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;

namespace MirrorController.Tests.Unit.Nvm;

public sealed class NvmStoreTests
{
    [Fact]
    public void What_was_committed_is_found_again_unsure_above_D()
    {
        var rig = StoreRig.Fresh();
        rig.Append(1, 100);
        rig.Append(2, 200, count: 8, generator: 7);
        rig.Append(3, 5);
        rig.Store.SetDurable(0, Tag.Of(1, 1));
        rig.CommitGood();

        var after = rig.Restarted();
        Assert.Equal(StoredContent.Of(rig.Store, 1).ToString(), StoredContent.Of(after.Store, 1).ToString());
        Assert.Equal(3, after.Volume.Table.Count);
        Assert.True(after.Volume.Table[0].Sure);
        Assert.False(after.Volume.Table[1].Sure);
        Assert.Equal(new BlockRange(200, 8), after.Volume.Table[1].Range);
        Assert.Equal(7, after.Volume.Table[1].Generator);
        Assert.Equal(0, after.Volume.Table[2].Generator);
        Assert.Equal(Tag.Of(1, 1), after.Volume.Durable);
    }

    [Fact]
    public void A_commit_on_a_chip_without_timing_ends_within_the_turn()
    {
        var rig = StoreRig.Fresh();
        rig.Append(1, 100);
        var outcome = new StoreRig.Outcome();
        rig.Loop.Within(() => rig.Store.Commit(outcome));
        rig.Loop.RunTurn();
        Assert.True(outcome.Ended && outcome.Status.IsOk);
    }

    [Fact]
    public void What_is_appended_while_a_batch_is_on_its_way_makes_the_next_one()
    {
        var rig = StoreRig.Fresh();
        var commits = rig.Store.Statistics.Commits;
        var outcomes = new List<StoreRig.Outcome>();
        rig.Loop.Within(() =>
        {
            for (var i = 1; i <= 10; i++)
            {
                rig.Append((ulong)i, i * 10);
                outcomes.Add(new StoreRig.Outcome());
                rig.Store.Commit(outcomes[^1]);
            }
        });
        rig.Loop.RunTurn();
        Assert.All(outcomes, outcome => Assert.True(outcome.Ended && outcome.Status.IsOk));
        Assert.Equal(2, rig.Store.Statistics.Commits - commits);
    }

    [Fact]
    public void A_commit_with_more_than_a_batch_holds_goes_in_several_in_order()
    {
        var rig = StoreRig.Fresh();
        var commits = rig.Store.Statistics.Commits;
        for (var i = 1; i <= 400; i++)
        {
            rig.Append((ulong)i, i * 1000);
        }

        rig.CommitGood();
        Assert.True(rig.Store.Statistics.Commits - commits > 1);
        Assert.Equal(400, rig.Reopened().Volume.Table.Count);
    }

    [Fact]
    public void A_commit_of_nothing_ends_well_and_writes_nothing()
    {
        var rig = StoreRig.Fresh();
        var before = rig.Chip.BytesWritten;
        rig.CommitGood();
        Assert.Equal(before, rig.Chip.BytesWritten);
    }

    [Fact]
    public void Retirement_rides_on_the_next_batch_and_takes_effect_when_stored()
    {
        var rig = StoreRig.Fresh();
        var told = new List<(int, Tag)>();
        rig.Store.RetiredStored = (slot, tag) => told.Add((slot, tag));
        rig.Append(1, 1);
        rig.Append(2, 2);
        rig.CommitGood();
        var before = rig.Chip.BytesWritten;
        rig.Retire(Tag.Of(1, 1));
        rig.Loop.RunAll();
        Assert.Equal(before, rig.Chip.BytesWritten);
        Assert.Equal(2, rig.Volume.Table.Count);
        Assert.Equal(Tag.None, rig.Volume.Retired);

        rig.Append(3, 3);
        rig.CommitGood();
        Assert.Equal([(0, Tag.Of(1, 1))], told);
        Assert.Equal(2, rig.Volume.Table.Count);
        var after = rig.Reopened();
        Assert.Equal(Tag.Of(1, 1), after.Volume.Retired);
        Assert.Equal([Tag.Of(1, 2), Tag.Of(1, 3)], Enumerable.Range(0, 2).Select(i => after.Volume.Table[i].Tag));
    }

    [Fact]
    public void A_pending_retirement_is_stored_alone_when_the_owner_is_idle()
    {
        var rig = StoreRig.Fresh();
        rig.Append(1, 1);
        rig.CommitGood();
        rig.Retire(Tag.Of(1, 1));
        rig.Loop.Within(rig.Store.CommitIfRetirementPending);
        rig.Loop.RunAll();
        Assert.Equal(0, rig.Volume.Table.Count);
        Assert.Equal(0, rig.Reopened().Volume.Table.Count);
        Assert.False(rig.Store.IsRetirementPending);
    }

    [Fact]
    public void Retirement_has_a_batch_of_its_own_when_room_is_below_a_quarter()
    {
        var rig = StoreRig.Fresh();
        for (var i = 1; i <= rig.Volume.CapacityEntries; i++)
        {
            rig.Append((ulong)i, i);
        }

        rig.CommitGood();
        rig.Retire(Tag.Of(1, 10));
        rig.Loop.RunAll();
        Assert.Equal(Tag.Of(1, 10), rig.Reopened().Volume.Retired);
    }

    [Fact]
    public void D_and_R_never_go_back()
    {
        var rig = StoreRig.Fresh();
        rig.Store.SetDurable(0, Tag.Of(1, 9));
        rig.Retire(Tag.Of(1, 8));
        rig.CommitGood();
        rig.Store.SetDurable(0, Tag.Of(1, 3));
        rig.Retire(Tag.Of(1, 2));
        rig.CommitGood();
        foreach (var volume in new[] { rig.Volume, rig.Reopened().Volume })
        {
            Assert.Equal(Tag.Of(1, 9), volume.Durable);
            Assert.Equal(Tag.Of(1, 8), volume.Retired);
        }
    }

    [Fact]
    public void A_restart_raises_the_counter_and_makes_what_is_above_D_unsure()
    {
        var rig = StoreRig.Fresh();
        rig.Append(1, 1);
        rig.Append(2, 2);
        rig.Store.SetDurable(0, Tag.Of(1, 1));
        rig.CommitGood();
        rig.Volume.Table[0].Sure = true;
        rig.Volume.Table[1].Sure = true;
        var (counter, boot) = (rig.Store.StartCounter, rig.Store.BootId);
        rig.Good(rig.Store.RestartAsync);
        Assert.Equal(counter + 1, rig.Store.StartCounter);
        Assert.NotEqual(boot, rig.Store.BootId);
        Assert.True(rig.Volume.Table[0].Sure);
        Assert.False(rig.Volume.Table[1].Sure);
        Assert.Equal(counter + 1, rig.Reopened().Store.StartCounter);
    }

    [Fact]
    public void A_volume_keeps_every_field_over_a_restart()
    {
        var rig = StoreRig.Fresh();
        var members = new MemberSet(3);
        var view = View.First(new SessionId(5, 55), 77, members, StoreRig.TiB).Next(new SessionId(6, 66), 78, new MemberSet(2));
        var record = rig.Volume.Record with
        {
            Session = new SessionId(9, 99),
            LastCoordinator = new SessionId(8, 88),
            StampCurrent = 1,
            StampNext = 2,
            MustRewrite = true,
            ResyncProgress = 3,
            MapsKept = 4,
            AllMissed = 5,
            RetiredWhenLeft = [.. Enumerable.Range(0, 16).Select(i => Tag.Of(7, (ulong)i))],
            View = view,
        };
        rig.Good(() => rig.Store.StoreVolumeAsync(0, record));
        var found = rig.Reopened().Volume.Record;
        Assert.True(view.IsSameAs(found.View!));
        Assert.Equal(record.RetiredWhenLeft, found.RetiredWhenLeft);
        Assert.Equal(record with { View = null, RetiredWhenLeft = [] }, found with { View = null, RetiredWhenLeft = [] });
    }

    [Fact]
    public void Session_and_view_are_in_both_copies_before_the_call_ends()
    {
        var rig = StoreRig.Fresh();
        rig.Good(() => rig.Store.StoreVolumeAsync(0, rig.Volume.Record with { Session = new SessionId(9, 99) }));
        Assert.True(NvmLayout.TryMake(32768, 1, 1, out var layout, out _));
        for (var copy = 0; copy < 2; copy++)
        {
            var other = new StoreRig([.. rig.Chip.Image], 1);
            other.Chip.Image.AsSpan(layout.VolumeAddress(0, copy), VolumeSuperblock.Size).Fill(0x33);
            Assert.Equal(NvmOpenState.Ok, other.Open().State);
            Assert.Equal(new SessionId(9, 99), other.Volume.Record.Session);
        }
    }

    [Fact]
    public void A_superblock_is_written_behind_everything_appended_before()
    {
        var rig = StoreRig.Fresh();
        rig.Append(1, 1);
        rig.Chip.Writes.Clear();
        rig.Good(() => rig.Store.StoreVolumeAsync(0, rig.Volume.Record with { Session = new SessionId(2, 2) }));
        Assert.Equal(3, rig.Chip.Writes.Count);
        Assert.True(rig.Chip.Writes[0].Length < 64, "the batch goes first");
        Assert.Equal(1, rig.Reopened().Volume.Table.Count);
    }

    [Fact]
    public void A_single_entry_can_give_way_to_a_mark()
    {
        var rig = StoreRig.Fresh();
        rig.Append(1, 10);
        rig.Append(2, 20);
        rig.CommitGood();
        rig.Store.RemoveEntry(0, Tag.Of(1, 1));
        rig.Store.AddMark(0, new RepairMark(new BlockRange(10, 1), 1, 1));
        rig.CommitGood();
        foreach (var volume in new[] { rig.Volume, rig.Reopened().Volume })
        {
            Assert.Equal(Tag.Of(1, 2), Assert.Single(Enumerable.Range(0, volume.Table.Count).Select(i => volume.Table[i].Tag)));
            Assert.Equal(new RepairMark(new BlockRange(10, 1), 1, 1), Assert.Single(volume.Marks));
        }
    }

    [Fact]
    public void Marks_of_older_sessions_are_cleared_and_those_set_meanwhile_stay()
    {
        var rig = StoreRig.Fresh();
        rig.Store.AddMark(0, new RepairMark(new BlockRange(10, 5), 3, 1));
        rig.Store.AddMark(0, new RepairMark(new BlockRange(30, 5), 4, 2));
        rig.CommitGood();
        rig.Store.ClearMarks(0, 4);
        rig.CommitGood();
        Assert.Equal(4u, Assert.Single(rig.Volume.Marks).Session);
        Assert.Equal(4u, Assert.Single(rig.Reopened().Volume.Marks).Session);
    }

    [Fact]
    public void Marks_short_of_room_merge_into_wider_ones_and_cover_the_same_blocks()
    {
        var rig = StoreRig.Fresh();
        var random = new Random(5);
        var marked = new List<BlockRange>();
        for (var i = 0; i < 200; i++)
        {
            var range = new BlockRange(random.NextInt64(1 << 28), random.Next(1, 9));
            if (range.End <= 1 << 28)
            {
                marked.Add(range);
                rig.Store.AddMark(0, new RepairMark(range, 3, (uint)i));
                rig.CommitGood();
            }
        }

        var after = rig.Reopened();
        Assert.Equal(rig.Volume.Marks.OrderBy(m => m.Range.Start), after.Volume.Marks.OrderBy(m => m.Range.Start));
        Assert.True(after.Volume.Marks.Count <= after.Volume.MarksMax);
        Assert.Contains(after.Volume.Marks, mark => mark.Coarse);
        Assert.All(marked, range => Assert.Contains(after.Volume.Marks, mark => mark.Range.Contains(range)));
    }

    [Fact]
    public void A_removed_volume_leaves_nothing_to_the_next_one_in_its_slot()
    {
        var rig = StoreRig.Fresh();
        rig.Append(1, 10);
        rig.Store.SetDurable(0, Tag.Of(1, 1));
        rig.Store.AddMark(0, new RepairMark(new BlockRange(1, 1), 1, 1));
        rig.CommitGood();
        rig.Good(() => rig.Store.RemoveVolumeAsync(0));
        Assert.Null(rig.Store.Volume(0));
        var after = rig.Restarted();
        Assert.Null(after.Store.Volume(0));
        after.Good(() => after.Store.CreateVolumeAsync(0, StoreRig.Record() with { VolumeId = new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), Name = "next" }));
        foreach (var volume in new[] { after.Volume, after.Reopened().Volume })
        {
            Assert.Equal("next", volume.Record.Name);
            Assert.Equal((0, 0, Tag.None, Tag.None), (volume.Table.Count, volume.Marks.Count, volume.Durable, volume.Retired));
        }
    }

    [Fact]
    public void A_slot_that_another_volume_has_is_refused()
    {
        var rig = StoreRig.Fresh();
        var record = StoreRig.Record() with { VolumeId = new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11) };
        Assert.Contains("tank", Assert.Throws<ArgumentException>(() => { _ = rig.Store.CreateVolumeAsync(0, record); }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Entries_that_do_not_belong_are_refused_before_anything_changes()
    {
        var rig = StoreRig.Fresh();
        rig.Retire(Tag.Of(1, 5));
        rig.CommitGood();
        Assert.Throws<ArgumentException>(() => rig.Append(5, 1));
        Assert.Throws<ArgumentException>(() => rig.Append(6, 1L << 28));
        Assert.Throws<ArgumentException>(() => rig.Append(6, -1));
        Assert.Throws<ArgumentException>(() => rig.Append(6, 0, slot: 0, count: 0));
        Assert.Equal(0, rig.Volume.Table.Count);
    }

    [Fact]
    public void Two_volumes_share_the_log_and_stay_apart()
    {
        var rig = StoreRig.Fresh(volumes: 2);
        for (ulong i = 1; i <= 20; i++)
        {
            rig.Append(i, (long)i, slot: (int)(i % 2), generator: (ushort)(i % 3));
        }

        rig.CommitGood();
        rig.Retire(Tag.Of(1, 9), slot: 1);
        rig.CommitGood();
        var after = rig.Reopened();
        Assert.Equal(StoredContent.Of(rig.Store, 2).ToString(), StoredContent.Of(after.Store, 2).ToString());
        Assert.Equal(10, after.Store.Volume(0)!.Table.Count);
        Assert.Equal(5, after.Store.Volume(1)!.Table.Count);
    }
}
