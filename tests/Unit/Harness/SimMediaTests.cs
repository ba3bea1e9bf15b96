using MirrorController.Protocol.Seams;
using MirrorController.Tests.Harness;
using MirrorController.Tests.Unit.Disks;

namespace MirrorController.Tests.Unit.Harness;

/// <summary>Simulated disks and chips: what power cuts and faults leave.</summary>
public sealed class SimMediaTests
{
    [Fact]
    public void A_power_cut_tears_unsynced_sectors_and_keeps_synced_ones()
    {
        var kept = new HashSet<byte>();
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var (world, node) = DiskNode(seed);
            Write(world, node, 0, Filled(4096, 1));
            Sync(world, node);
            Write(world, node, 2048, Filled(2048, 2));
            Write(world, node, 2048, Filled(2048, 3));
            node.PowerCut();
            var left = node.Disk.Peek(0, 4096);
            Assert.All(left[..2048], b => Assert.Equal(1, b));
            foreach (var sector in left[2048..].Chunk(512))
            {
                Assert.All(sector, b => Assert.Equal(sector[0], b));
                kept.Add(sector[0]);
            }
        }

        Assert.Equal("1 2 3", string.Join(' ', kept.Order()));
    }

    [Fact]
    public void A_write_that_had_not_ended_may_be_on_the_disk_after_a_power_cut()
    {
        var seen = new HashSet<byte>();
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var (world, node) = DiskNode(seed);
            node.PowerCutAtOperation(1);
            Begin(node, d => d.Write(0, Payload.Take(Slice.Copy(Filled(512, 1))), new RecordedEnd()));
            world.RunFor(10);
            Assert.False(node.IsRunning);
            seen.Add(node.Disk.Peek(0, 1)[0]);
        }

        Assert.Equal("0 1", string.Join(' ', seen.Order()));
    }

    [Fact]
    public void A_sync_covers_the_writes_that_had_ended_when_it_began_and_no_others()
    {
        var lost = false;
        for (ulong seed = 1; seed <= 30; seed++)
        {
            var (world, node) = DiskNode(seed);
            Write(world, node, 0, Filled(512, 1));
            var sync = new RecordedEnd();
            Begin(node, d =>
            {
                d.Sync(sync);
                d.Write(512, Payload.Take(Slice.Copy(Filled(512, 2))), new RecordedEnd());
            });
            world.RunUntil(() => sync.Status is not null);
            node.PowerCut();
            Assert.Equal(1, node.Disk.Peek(0, 1)[0]);
            lost |= node.Disk.Peek(512, 1)[0] == 0;
        }

        Assert.True(lost);
    }

    [Fact]
    public void After_a_failed_sync_the_data_are_read_until_the_power_goes_and_a_later_sync_does_not_save_them()
    {
        var lost = false;
        for (ulong seed = 1; seed <= 30; seed++)
        {
            var (world, node) = DiskNode(seed);
            Write(world, node, 0, Filled(512, 1));
            node.Disk.Faults.FailSyncs = 1;
            Assert.False(Sync(world, node).IsOk);
            Assert.True(Sync(world, node).IsOk);
            Assert.Equal(1, node.Disk.Peek(0, 1)[0]);
            node.PowerCut();
            lost |= node.Disk.Peek(0, 1)[0] == 0;
        }

        Assert.True(lost);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public void A_write_fails_on_demand_taken_or_not(bool taken, byte left)
    {
        var (world, node) = DiskNode(1);
        node.Disk.Faults.FailWrites = 1;
        node.Disk.Faults.FailedWritesAreTaken = taken;
        Assert.False(Write(world, node, 0, Filled(512, 1)).IsOk);
        Assert.Equal(left, node.Disk.Peek(0, 1)[0]);
        Assert.True(Write(world, node, 0, Filled(512, 2)).IsOk);
    }

    [Fact]
    public void A_hanging_disk_ends_its_operations_when_released()
    {
        var (world, node) = DiskNode(1);
        node.Disk.Faults.IsHanging = true;
        var end = new RecordedEnd();
        Begin(node, d => d.Write(0, Payload.Take(Slice.Copy(Filled(512, 1))), end));
        world.RunFor(60_000);
        Assert.Null(end.Status);
        node.Disk.Faults.IsHanging = false;
        world.RunUntil(() => end.Status is not null);
    }

    [Fact]
    public void Overlapping_operations_in_flight_together_are_counted()
    {
        var (world, node) = DiskNode(1);
        Begin(node, d =>
        {
            d.Write(0, Payload.Take(Slice.Copy(Filled(1024, 1))), new RecordedEnd());
            d.Write(1024, Payload.Take(Slice.Copy(Filled(1024, 1))), new RecordedEnd());
            d.Read(1023, Slice.Copy(new byte[1]), new RecordedEnd());
        });
        world.RunFor(100);
        Assert.Equal(1, node.Disk.OverlapCount);
    }

    [Fact]
    public void A_payload_released_before_its_write_has_ended_is_found_out()
    {
        var (world, node) = DiskNode(1);
        Begin(node, d =>
        {
            var payload = Payload.Take(Slice.Copy(Filled(512, 1)));
            d.Write(0, payload, new RecordedEnd());
            payload.Release();
        });
        Assert.Throws<SimNodeException>(() => world.RunFor(100));
    }

    [Fact]
    public void A_cut_chip_write_leaves_a_prefix_on_fram_and_spoils_one_page_on_eeprom()
    {
        var prefixes = new HashSet<int>();
        for (ulong seed = 1; seed <= 50; seed++)
        {
            var fram = CutChip(seed, page: 1);
            var prefix = fram.Take(100..200).TakeWhile(b => b == 1).Count();
            prefixes.Add(prefix);
            Assert.All(fram.Take((100 + prefix)..), b => Assert.Equal(0xFF, b));
            Assert.All(fram.Take(..100), b => Assert.Equal(0xFF, b));

            var eeprom = CutChip(seed, page: 64);
            var odd = eeprom.Select((b, i) => (b, i)).Where(x => x.b != (x.i is >= 100 and < 200 ? 1 : 0xFF)).Select(x => x.i / 64).ToList();
            // Behind the spoilt page nothing of the write is stored.
            var spoilt = odd.Count > 0 ? odd[0] : 4;
            Assert.All(Enumerable.Range((spoilt + 1) * 64, Math.Max(0, 256 - ((spoilt + 1) * 64))), i => Assert.Equal(0xFF, eeprom[i]));
        }

        Assert.True(prefixes.Count > 10);
    }

    [Fact]
    public void A_chip_without_timing_ends_within_the_turn_and_a_second_transfer_meanwhile_is_a_bug()
    {
        var world = new SimWorld(1);
        var node = new SimNode(world, "n", c => c.Nvm);
        node.AddFram();
        node.Start();
        var nvm = (INvm)node.Instance!;
        var order = new List<string>();
        node.Post(() =>
        {
            nvm.Write(0, new byte[] { 1 }, new Callback(_ => order.Add("stored")));
            node.Loop!.StartTimer(0, () => order.Add("next turn"));
        });
        world.RunFor(10);
        Assert.Equal(["stored", "next turn"], order);

        node.Post(() =>
        {
            nvm.Write(0, new byte[] { 1 }, new RecordedEnd());
            nvm.Read(0, new byte[1], new RecordedEnd());
        });
        Assert.Throws<SimNodeException>(() => world.RunFor(10));
    }

    [Fact]
    public void A_failed_transfer_spoils_its_range_only_and_a_stuck_one_waits()
    {
        var world = new SimWorld(1);
        var node = new SimNode(world, "n", c => c.Nvm);
        var media = node.AddFram();
        node.Start();
        var nvm = (INvm)node.Instance!;
        media.FailTransfers = 1;
        IoStatus? failed = null;
        node.Post(() => nvm.Write(100, Filled(50, 1), new Callback(s => failed = s)));
        world.RunFor(10);
        Assert.False(failed!.Value.IsOk);
        Assert.Equal(Filled(100, 0xFF), media.Bytes[..100].ToArray());
        Assert.Equal(Filled(100, 0xFF), media.Bytes[150..250].ToArray());
        Assert.NotEqual(Filled(50, 1), media.Bytes[100..150].ToArray());

        media.IsStuck = true;
        var end = new RecordedEnd();
        node.Post(() => nvm.Write(100, Filled(50, 1), end));
        world.RunFor(5000);
        Assert.Null(end.Status);
        media.IsStuck = false;
        world.RunUntil(() => end.Status is not null);
        Assert.Equal(Filled(50, 1), media.Bytes[100..150].ToArray());
    }

    private static byte[] CutChip(ulong seed, int page)
    {
        var world = new SimWorld(seed);
        var node = new SimNode(world, "n", c => c.Nvm);
        var media = page == 1 ? node.AddFram() : node.AddEeprom(pageBytes: page);
        node.Start();
        var nvm = (INvm)node.Instance!;
        node.PowerCutAtOperation(1);
        node.Post(() => nvm.Write(100, Filled(100, 1), new RecordedEnd()));
        world.RunFor(10);
        Assert.False(node.IsRunning);
        return media.Bytes[..512].ToArray();
    }

    private static (SimWorld World, SimNode Node) DiskNode(ulong seed)
    {
        var world = new SimWorld(seed);
        var node = new SimNode(world, "n", c => c.Disk);
        node.AddDisk(1024 * 1024);
        node.Start();
        return (world, node);
    }

    private static void Begin(SimNode node, Action<IBlockDevice> action) => node.Post(() => action((IBlockDevice)node.Instance!));

    private static IoStatus Write(SimWorld world, SimNode node, long offsetBytes, byte[] bytes)
    {
        var end = new RecordedEnd();
        Begin(node, d => d.Write(offsetBytes, Payload.Take(Slice.Copy(bytes)), end));
        world.RunUntil(() => end.Status is not null);
        return end.Status!.Value;
    }

    private static IoStatus Sync(SimWorld world, SimNode node)
    {
        var end = new RecordedEnd();
        Begin(node, d => d.Sync(end));
        world.RunUntil(() => end.Status is not null);
        return end.Status!.Value;
    }

    private static byte[] Filled(int count, byte value) => Enumerable.Repeat(value, count).ToArray();

    private sealed class Callback(Action<IoStatus> action) : ICompletion
    {
        public void Completed(IoStatus status) => action(status);
    }
}
