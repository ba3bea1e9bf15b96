using MirrorController.Protocol.Tags;

namespace MirrorController.Tests.Unit.Nvm;

public sealed class NvmRingTests
{
    [Theory]
    [InlineData(1, 8192)]
    [InlineData(64, 8192)]
    [InlineData(1, 32768)]
    [InlineData(64, 32768)]
    public void A_table_filled_to_capacity_one_entry_a_commit_survives_many_rounds(int pageBytes, int chipBytes)
    {
        var rig = StoreRig.Fresh(chipBytes, pageBytes, sizeMaxBytes: 16 * StoreRig.TiB);
        var random = new Random(3);
        var capacity = rig.Volume.CapacityEntries;
        Assert.True(capacity > 20, $"{capacity} entries");

        // Worst entries: whole tags from ever new sessions, far blocks, long counts, changing generators.
        ulong written = 0;
        for (; written < (ulong)capacity; written++)
        {
            rig.Append(written + 1, random.NextInt64(1L << 31) + (1L << 31) - 20_000, 16_384, (ushort)written, session: (uint)(written + 1));
            rig.CommitGood();
        }

        Assert.False(rig.Volume.HasRoom);
        Assert.Throws<ArgumentException>(() => rig.Append(1, 1, session: 0xFFFFFF));
        Assert.Equal(StoredContent.Of(rig.Store, 1).ToString(), StoredContent.Of(rig.Reopened().Store, 1).ToString());

        for (var round = 0; round < 3 * capacity; round++)
        {
            rig.Retire(rig.Volume.Table[0].Tag);
            rig.Loop.Within(rig.Store.CommitIfRetirementPending);
            rig.Loop.RunAll();
            written++;
            rig.Append(written, random.NextInt64(1L << 31), 16_384, (ushort)written, session: (uint)written);
            rig.CommitGood();
            Assert.True(rig.Loop.ActionsRun < 2_000_000, $"round {round}: {rig.Store.Statistics} {written}");
            if (round % 50 == 0)
            {
                Assert.Equal(StoredContent.Of(rig.Store, 1).ToString(), StoredContent.Of(rig.Reopened().Store, 1).ToString());
            }
        }

        Assert.Equal(capacity, rig.Reopened().Volume.Table.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    public void Entries_and_marks_of_a_volume_whose_host_is_away_never_stop_another_volume(int pageBytes)
    {
        var rig = StoreRig.Fresh(32768, pageBytes, volumes: 2);
        for (ulong i = 1; i <= (ulong)rig.Volume.CapacityEntries; i++)
        {
            rig.Append(i, (long)i * 7);
            rig.CommitGood();
        }

        rig.Store.AddMark(0, new(new(5, 5), 1, 1));
        rig.CommitGood();
        var idle = rig.Volume.Table.Count;
        for (ulong i = 1; i <= 20_000; i++)
        {
            rig.Append(i, (long)i, slot: 1);
            if (i % 16 == 0)
            {
                rig.CommitGood();
                rig.Retire(Tag.Of(1, i), slot: 1);
            }
        }

        var after = rig.Reopened();
        Assert.Equal(idle, after.Volume.Table.Count);
        Assert.Single(after.Volume.Marks);
        Assert.Equal(StoredContent.Of(rig.Store, 2).ToString(), StoredContent.Of(after.Store, 2).ToString());
    }

    [Fact]
    public void Starts_without_writes_wrap_the_ring_too()
    {
        var rig = StoreRig.Fresh(8192);
        rig.Append(1, 1);
        rig.CommitGood();
        for (var i = 0; i < 1500; i++)
        {
            rig.Good(rig.Store.RestartAsync);
        }

        var after = rig.Restarted();
        Assert.Equal(1502ul, after.Store.StartCounter);
        Assert.Equal(1, after.Volume.Table.Count);
    }

    [Fact]
    public void No_write_crosses_the_end_of_the_chip_however_odd_its_size()
    {
        foreach (var size in new[] { 8192, 8193, 10_001, 16_384, 20_000 })
        {
            var rig = StoreRig.Fresh(size);
            for (ulong i = 1; i <= 5000; i++)
            {
                rig.Append(i, (long)i * 31);
                if (i % 7 == 0)
                {
                    rig.CommitGood();
                    rig.Retire(Tag.Of(1, i - 3));
                }
            }

            Assert.All(rig.Chip.Writes, write => Assert.True(write.Address + write.Length <= size));
        }
    }
}
