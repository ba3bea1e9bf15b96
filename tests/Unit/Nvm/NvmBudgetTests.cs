using MirrorController.Protocol.Tags;

namespace MirrorController.Tests.Unit.Nvm;

/// <summary>What a 4 KiB random write of one generator on a volume of 1 TiB may cost on FRAM.</summary>
public sealed class NvmBudgetTests
{
    [Theory]
    [InlineData(1, 16)]
    [InlineData(32, 8)]
    public void A_write_costs_few_bytes_of_the_chip(int together, int bytesMax)
    {
        var rig = StoreRig.Fresh();
        var random = new Random(1);
        var before = rig.Store.Statistics;
        var chipBefore = rig.Chip.BytesWritten;
        ulong sequence = 0;
        const int writes = 16_000;
        while (sequence < writes)
        {
            for (var i = 0; i < together; i++)
            {
                rig.Append(++sequence, random.NextInt64(1L << 28));
            }

            rig.CommitGood();
            if (sequence % 128 == 0)
            {
                rig.Store.SetDurable(0, Tag.Of(1, sequence));
                rig.CommitGood();
                rig.Retire(Tag.Of(1, sequence));
            }
        }

        var after = rig.Store.Statistics;
        var written = (after.BytesWritten - before.BytesWritten) / (double)writes;
        var overhead = (after.BytesOverhead - before.BytesOverhead) / (double)writes;
        Assert.True(written <= bytesMax, $"{written} bytes a write");
        Assert.True(overhead <= 2, $"{overhead} bytes a write beside");
        Assert.Equal(rig.Chip.BytesWritten - chipBefore, after.BytesWritten + after.BytesOverhead - before.BytesWritten - before.BytesOverhead);
    }

    [Fact]
    public void A_commit_on_a_chip_with_pages_takes_whole_pages()
    {
        var rig = StoreRig.Fresh(pageBytes: 64);
        for (ulong i = 1; i <= 200; i++)
        {
            rig.Append(i, (long)i);
            rig.CommitGood();
        }

        Assert.All(rig.Chip.Writes, write => Assert.Equal((0, 0), (write.Address % 64, write.Length % 64)));
        Assert.Equal(200, rig.Reopened().Volume.Table.Count);
    }

    [Fact]
    public void A_write_in_steady_state_allocates_nothing()
    {
        var rig = StoreRig.Fresh();
        ulong sequence = 0;
        void Writes(int count)
        {
            for (var i = 0; i < count; i++)
            {
                rig.Append(++sequence, (long)sequence % 1000);
                if (sequence % 32 == 0)
                {
                    rig.Retire(Tag.Of(1, sequence - 16));
                }
            }
        }

        // What the test's own loop and chip allocate is counted with an empty store beside it: here only the queue and the table count.
        Writes(300);
        rig.CommitGood();
        Writes(100);
        rig.CommitGood();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Writes(100);
        var appended = GC.GetAllocatedBytesForCurrentThread() - before;
        rig.CommitGood();
        Assert.True(appended < 2048, $"{appended} bytes for 100 entries");
    }
}
