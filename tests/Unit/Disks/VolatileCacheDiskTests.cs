using CsCheck;
using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Unit.Disks;

/// <summary>What an emulated disk loses by a death, and what it must not lose.</summary>
public sealed class VolatileCacheDiskTests
{
    [Fact]
    public void Synced_data_survive_every_death_and_stand_plain_in_the_data_file()
    {
        using var rig = new VolatileCacheRig();
        rig.Write(4096, Filled(8192, 1));
        Assert.True(rig.Sync().IsOk);
        for (var i = 0; i < 5; i++)
        {
            rig.Die();
            Assert.Equal(Filled(8192, 1), rig.Read(4096, 8192));
        }

        rig.Disk.Close();
        Assert.Equal(Filled(8192, 1), File.ReadAllBytes(rig.DataPath)[4096..(4096 + 8192)]);
        Assert.Empty(rig.Log);
    }

    [Fact]
    public void Unsynced_data_are_kept_in_part_and_the_seed_is_logged()
    {
        var outcomes = new HashSet<string>();
        for (ulong seed = 1; seed <= 40; seed++)
        {
            using var rig = new VolatileCacheRig(seed: seed);
            rig.Write(0, Filled(64 * 512, 1));
            rig.Die();
            Assert.Contains("by the seed", Assert.Single(rig.Log), StringComparison.Ordinal);
            var kept = rig.Read(0, 64 * 512).Chunk(512).Count(s => s[0] == 1);
            outcomes.Add(kept switch { 0 => "none", 64 => "all", _ => "some" });
        }

        Assert.Equal(["all", "none", "some"], outcomes.Order());
    }

    [Fact]
    public void A_synchronous_write_is_never_lost_to_an_older_cached_version()
    {
        for (ulong seed = 1; seed <= 30; seed++)
        {
            using var rig = new VolatileCacheRig(seed: seed);
            rig.Write(0, Filled(32 * 512, 1));
            rig.WriteSync(8 * 512, Filled(8 * 512, 2));
            rig.Die();
            Assert.Equal(Filled(8 * 512, 2), rig.Read(8 * 512, 8 * 512));
        }
    }

    [Fact]
    public void A_failed_sync_loses_the_cached_data_and_the_next_one_succeeds_without_them()
    {
        using var rig = new VolatileCacheRig();
        rig.Write(0, Filled(512, 1));
        rig.Sync();
        rig.Write(0, Filled(512, 2));
        rig.Faults.FailSyncs = 1;
        Assert.False(rig.Sync().IsOk);
        Assert.True(rig.Sync().IsOk);
        rig.Die();
        Assert.Equal(Filled(512, 1), rig.Read(0, 512));
    }

    [Fact]
    public void Injected_write_and_read_faults_hit_once_and_change_nothing()
    {
        using var rig = new VolatileCacheRig();
        rig.Write(0, Filled(512, 1));
        rig.Faults.FailWrites = 2;
        Assert.False(rig.Write(0, Filled(512, 2)).IsOk);
        Assert.False(rig.WriteSync(0, Filled(512, 2)).IsOk);
        rig.Faults.FailReads = 1;
        Assert.False(rig.Do(done => rig.Disk.Read(0, Slice.Copy(new byte[512]), done)).IsOk);
        Assert.Equal(Filled(512, 1), rig.Read(0, 512));
    }

    [Fact]
    public void A_hanging_disk_ends_nothing_until_it_is_released()
    {
        using var rig = new VolatileCacheRig();
        rig.Faults.IsHanging = true;
        var write = new RecordedEnd();
        var sync = new RecordedEnd();
        rig.Loop.Post(() =>
        {
            rig.Disk.Write(0, Payload.Take(Slice.Copy(Filled(512, 1))), write);
            rig.Disk.Sync(sync);
        });
        var over = false;
        rig.Loop.StartTimer(30, () => over = true);
        rig.RunUntil(() => over);
        Assert.Null(write.Status);
        Assert.Null(sync.Status);
        rig.Loop.Post(() => rig.Faults.IsHanging = false);
        rig.RunUntil(() => write.Status is not null && sync.Status is not null);
    }

    [Fact]
    public void A_death_between_moving_the_data_and_emptying_the_cache_leaves_allowed_versions()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            using var rig = new VolatileCacheRig(seed: seed);
            rig.Write(0, Filled(16 * 512, 1));
            rig.Sync();
            rig.Write(0, Filled(16 * 512, 2));
            rig.Write(0, Filled(16 * 512, 3));
            var logBefore = ReadShared(rig.CachePath);
            rig.Sync();
            rig.Die(() => File.WriteAllBytes(rig.CachePath, logBefore));
            // The old version is allowed, too, but the sync had moved all newer ones.
            Assert.All(rig.Read(0, 16 * 512), b => Assert.InRange(b, 2, 3));
        }
    }

    [Fact]
    public void A_record_that_is_not_whole_ends_the_log()
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            using var rig = new VolatileCacheRig(seed: seed);
            rig.Write(0, Filled(512, 1));
            rig.Write(512, Filled(512, 2));
            rig.Write(0, Filled(512, 3));
            rig.Die(() =>
            {
                // Header, two records of two sectors each, then the header of the third: one byte of its data is missing.
                using var file = new FileStream(rig.CachePath, FileMode.Open);
                file.Position = (6 * 512) + 17;
                file.WriteByte(0);
            });
            Assert.Contains(rig.Read(0, 1)[0], new byte[] { 0, 1 });
            Assert.Contains(rig.Read(512, 1)[0], new byte[] { 0, 2 });
        }
    }

    [Fact]
    public void After_a_restart_of_the_system_the_cache_counts_as_lost()
    {
        using var rig = new VolatileCacheRig();
        rig.Write(0, Filled(512, 1));
        rig.Die(() =>
        {
            using var file = new FileStream(rig.CachePath, FileMode.Open);
            file.Position = 24;
            file.Write(new byte[16]);
        });
        Assert.Equal(Filled(512, 0), rig.Read(0, 512));
        Assert.Contains("restarted", Assert.Single(rig.Log), StringComparison.Ordinal);
    }

    [Fact]
    public void Any_history_leaves_every_sector_a_version_since_the_last_sync()
    {
        var step = Gen.Select(Gen.Int[0, 11], Gen.Int[0, DiskModel.Sectors - 1], Gen.Int[1, 24]);
        Gen.Select(Gen.ULong, step.Array[1, 60]).Sample(
            (seed, steps) =>
            {
                // The cache has room for a few writes only, so that it is also moved because it is full.
                using var rig = new VolatileCacheRig(DiskModel.Sectors * 512L, 64 * 512, seed | 1);
                var model = new DiskModel(rig);
                foreach (var (kind, first, count) in steps)
                {
                    model.Step(kind, first, Math.Min(count, DiskModel.Sectors - first));
                }

                model.Step(DiskModel.Death, 0, 0);
            },
            iter: 60,
            threads: 1);
    }

    private static byte[] Filled(int count, byte value) => Enumerable.Repeat(value, count).ToArray();

    private static byte[] ReadShared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }
}
