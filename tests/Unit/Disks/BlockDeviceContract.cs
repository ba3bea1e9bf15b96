using MirrorController.Firmware.Disks;
using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Unit.Disks;

/// <summary>What every disk promises.</summary>
public abstract class BlockDeviceContract(DiskRig rig) : IDisposable
{
    protected DiskRig Rig { get; } = rig;

    public void Dispose()
    {
        Rig.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void A_new_disk_reads_as_zeroes_up_to_its_size()
    {
        Assert.Equal(DiskRig.SizeBytes, Rig.Disk.SizeBytes);
        Assert.Equal(new byte[4096], Rig.Read(DiskRig.SizeBytes - 4096, 4096));
        Assert.True(Rig.Disk.PhysicalSectorBytes >= 512);
        Assert.NotEqual("", Rig.Disk.Name);
    }

    [Theory]
    [InlineData(4096, 4096)]
    [InlineData(512, 512)]
    [InlineData(1000, 3000)]
    [InlineData(700_000, 100_001)]
    public void What_was_written_is_read_and_its_surroundings_stay(long offsetBytes, int lengthBytes)
    {
        Assert.True(Rig.Write(offsetBytes - 100, Bytes(lengthBytes + 200, 1)).IsOk);
        Assert.True(Rig.Write(offsetBytes, Bytes(lengthBytes, 2)).IsOk);
        var expected = Bytes(lengthBytes + 200, 1);
        Bytes(lengthBytes, 2).CopyTo(expected, 100);
        Assert.Equal(expected, Rig.Read(offsetBytes - 100, lengthBytes + 200));
        Assert.Equal(Bytes(lengthBytes, 2)[5..9], Rig.Read(offsetBytes + 5, 4));
    }

    [Fact]
    public void What_is_known_to_be_zero_reads_as_zero_and_what_was_written_is_not()
    {
        long[] written = [300 * 1024, (2 * 1024 * 1024) + 4096, DiskRig.SizeBytes - 4096];
        foreach (var offset in written)
        {
            Assert.True(Rig.Write(offset, Bytes(4096, 7)).IsOk);
        }

        for (long at = 0; at < DiskRig.SizeBytes; at += 128 * 1024)
        {
            var known = Rig.Disk.KnownZeroBytes(at, DiskRig.SizeBytes - at);
            Assert.InRange(known, 0, DiskRig.SizeBytes - at);
            Assert.DoesNotContain(written, offset => offset < at + known && offset + 4096 > at);
        }
    }

    [Fact]
    public void A_synchronous_write_is_read_in_place_of_older_cached_data()
    {
        Assert.True(Rig.Write(8192, Bytes(8192, 1)).IsOk);
        Assert.True(Rig.WriteSync(12288, Bytes(2048, 2)).IsOk);
        Assert.True(Rig.WriteSync(8192 + 100, Bytes(50, 3)).IsOk);
        var expected = Bytes(8192, 1);
        Bytes(2048, 2).CopyTo(expected, 4096);
        Bytes(50, 3).CopyTo(expected, 100);
        Assert.Equal(expected, Rig.Read(8192, 8192));
        Assert.True(Rig.Sync().IsOk);
        Assert.Equal(expected, Rig.Read(8192, 8192));
    }

    [Fact]
    public void A_payload_of_several_slices_is_written_in_order()
    {
        var payload = Payload.Take(Slice.Copy(Bytes(1000, 1)));
        payload.Append(Slice.Copy(Bytes(500, 2)));
        payload.Append(Slice.Copy(Bytes(548, 3)));
        Assert.True(Rig.Do(done => Rig.Disk.Write(4096, payload, done)).IsOk);
        Assert.Equal([.. Bytes(1000, 1), .. Bytes(500, 2), .. Bytes(548, 3)], Rig.Read(4096, 2048));
        Assert.True(Rig.Do(done => Rig.Disk.WriteSync(65536, payload, done)).IsOk);
        Assert.Equal([.. Bytes(1000, 1), .. Bytes(500, 2), .. Bytes(548, 3)], Rig.Read(65536, 2048));
    }

    [Theory]
    [InlineData(4096, 8192)]
    [InlineData(4100, 5000)]
    [InlineData(0, 4 * 1024 * 1024)]
    public void A_zeroed_range_reads_as_zeroes_and_its_surroundings_stay(long offsetBytes, int lengthBytes)
    {
        var all = Bytes(5 * 1024 * 1024, 9);
        Assert.True(Rig.Write(0, all).IsOk);
        Assert.True(Rig.Zero(offsetBytes, lengthBytes).IsOk);
        all.AsSpan((int)offsetBytes, lengthBytes).Clear();
        Assert.True(all.AsSpan().SequenceEqual(Rig.Read(0, all.Length)));
        Assert.True(Rig.Write(offsetBytes + 512, Bytes(512, 4)).IsOk);
        Bytes(512, 4).CopyTo(all, (int)offsetBytes + 512);
        Assert.True(Rig.Sync().IsOk);
        Assert.True(all.AsSpan().SequenceEqual(Rig.Read(0, all.Length)));
    }

    [Fact]
    public void What_goes_beyond_the_end_is_refused_and_changes_nothing()
    {
        Assert.False(Rig.Write(DiskRig.SizeBytes - 512, new byte[513]).IsOk);
        Assert.False(Rig.WriteSync(DiskRig.SizeBytes, new byte[1]).IsOk);
        Assert.False(Rig.Zero(DiskRig.SizeBytes - 512, 1024).IsOk);
        Assert.False(Rig.Zero(long.MaxValue - 10, 1024).IsOk);
        Assert.False(Rig.Do(done => Rig.Disk.Read(DiskRig.SizeBytes - 1, Slice.Copy(new byte[2]), done)).IsOk);
        Assert.False(Rig.Do(done => Rig.Disk.Read(-1, Slice.Copy(new byte[2]), done)).IsOk);
        Assert.Equal(DiskRig.SizeBytes, Rig.Disk.SizeBytes);
    }

    [Fact]
    public void Many_operations_at_once_all_end_once()
    {
        const int Count = 300;
        var ends = Enumerable.Range(0, Count).Select(_ => new RecordedEnd()).ToArray();
        Rig.Loop.Post(() =>
        {
            for (var i = 0; i < Count; i++)
            {
                switch (i % 10)
                {
                    case 3:
                        Rig.Disk.Sync(ends[i]);
                        break;
                    case 7:
                        Rig.Disk.WriteSync(i * 4096, Payload.Take(Slice.Copy(Bytes(4096, (byte)i))), ends[i]);
                        break;
                    default:
                        Rig.Disk.Write(i * 4096, Payload.Take(Slice.Copy(Bytes(4096, (byte)i))), ends[i]);
                        break;
                }
            }

            Assert.All(ends, e => Assert.Null(e.Status));
        });
        Rig.RunUntil(() => ends.All(e => e.Status is not null));
        Assert.All(ends, e => Assert.True(e.Status!.Value.IsOk));
        for (var i = 0; i < Count; i++)
        {
            Assert.Equal(i % 10 == 3 ? new byte[4096] : Bytes(4096, (byte)i), Rig.Read(i * 4096, 4096));
        }
    }

    [Fact]
    public void Syncs_and_synchronous_writes_end_in_the_order_in_which_they_were_begun()
    {
        var ended = new List<int>();
        Rig.Loop.Post(() =>
        {
            for (var i = 0; i < 40; i++)
            {
                var number = i;
                var done = new Ended(() => ended.Add(number));
                if (i % 3 == 0)
                {
                    Rig.Disk.Sync(done);
                }
                else
                {
                    Rig.Disk.WriteSync(i * 4096, Payload.Take(Slice.Copy(Bytes(i % 2 == 0 ? 4096 : 65536, (byte)i))), done);
                }
            }
        });
        Rig.RunUntil(() => ended.Count == 40);
        Assert.Equal(Enumerable.Range(0, 40), ended);
    }

    [Fact]
    public void A_closed_disk_refuses_everything()
    {
        Rig.Loop.Post(Rig.Disk.Close);
        Assert.False(Rig.Write(0, new byte[512]).IsOk);
        Assert.False(Rig.WriteSync(0, new byte[512]).IsOk);
        Assert.False(Rig.Sync().IsOk);
        Assert.False(Rig.Zero(0, 512).IsOk);
        Assert.False(Rig.Do(done => Rig.Disk.Read(0, Slice.Copy(new byte[2]), done)).IsOk);
    }

    protected static byte[] Bytes(int count, byte salt)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++)
        {
            bytes[i] = (byte)(1 + (((i * 13) ^ (i >> 8) ^ salt) % 255));
        }

        return bytes;
    }
}

public sealed class FileDiskInlineTests() : BlockDeviceContract(new FileDiskRig(DiskMode.Inline));

public sealed class FileDiskWorkerTests() : BlockDeviceContract(new FileDiskRig(DiskMode.Worker));

public sealed class VolatileCacheDiskContractTests() : BlockDeviceContract(new VolatileCacheRig());

public sealed class SimDiskContractTests() : BlockDeviceContract(new SimDiskRig());
