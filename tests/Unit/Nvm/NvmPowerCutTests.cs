using CsCheck;
using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;

namespace MirrorController.Tests.Unit.Nvm;

/// <summary>N2, N3, N4: after a power cut at any byte the content is what was told as stored, perhaps with more of what was under way, in order.</summary>
public sealed class NvmPowerCutTests
{
    [Fact]
    public void N6_a_pair_that_a_cut_left_uneven_is_whole_after_the_next_start()
    {
        var rig = StoreRig.Fresh();
        var old = rig.Volume.Record;
        var record = old with { Session = new SessionId(7, 77) };
        // The power goes when the first of the two copies stands.
        rig.Chip.CutAfterBytes = VolumeSuperblock.Size;
        rig.Loop.Within(() => _ = rig.Store.StoreVolumeAsync(0, record));
        rig.Loop.RunAll();
        Assert.True(rig.Chip.IsCut);

        var after = rig.Restarted();
        Assert.Equal(7u, after.Volume.Record.Session.Number);
        // Whichever copy rots later, the other one knows the session that was answered.
        _ = NvmLayout.TryMake(after.Chip.Image.Length, after.Chip.PageBytes, 1, out var layout, out _);
        for (var copy = 0; copy < 2; copy++)
        {
            var rotten = new StoreRig([.. after.Chip.Image], after.Chip.PageBytes, 3);
            rotten.Chip.Image.AsSpan(layout!.VolumeAddress(0, copy), VolumeSuperblock.Size).Fill(0x55);
            Assert.Equal(NvmOpenState.Ok, rotten.Open().State);
            Assert.Equal(7u, rotten.Volume.Record.Session.Number);
        }

        var settled = after.Restarted(4);
        Assert.DoesNotContain(settled.Chip.Writes, w => w.Length == VolumeSuperblock.Size);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    public void A_cut_at_every_byte_of_a_short_history_loses_nothing_that_was_committed(int pageBytes)
    {
        var image = StoreRig.Fresh(8192, pageBytes).Chip.Image;
        var total = Play(new StoreRig([.. image], pageBytes), long.MaxValue, 7, 12, 1).Bytes;
        Assert.True(total > 100);
        for (long cut = 0; cut <= total; cut++)
        {
            var (rig, states, committed, _) = Play(new StoreRig([.. image], pageBytes), cut, 7, 12, 1);
            Check(rig, states, committed, 1, $"cut after {cut} bytes");
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 2)]
    [InlineData(64, 1)]
    [InlineData(64, 2)]
    public void Random_histories_with_power_cuts_one_after_another_lose_nothing_that_was_committed(int pageBytes, int volumes) =>
        Gen.Int[0, int.MaxValue - 1].Sample(
            seed =>
            {
                var random = new Random(seed);
                var image = StoreRig.Fresh(volumes == 1 ? 8192 : 10_240, pageBytes, volumes).Chip.Image;
                for (var life = 0; life < 6; life++)
                {
                    var cut = random.Next(4) == 0 ? random.Next(600) : random.Next(12_000);
                    var (rig, states, committed, _) = Play(new StoreRig(image, pageBytes, seed), cut, random.Next(), 60, volumes);
                    Check(rig, states, committed, volumes, $"seed {seed}, life {life}, cut after {cut} bytes");
                    image = [.. rig.Chip.Image];
                }
            },
            iter: 40,
            threads: 1);

    [Theory]
    [InlineData(1)]
    [InlineData(32)]
    [InlineData(64)]
    public void Any_number_of_starts_that_are_cut_short_one_after_another_does_not_fill_the_log(int pageBytes)
    {
        var rig = StoreRig.Fresh(8192, pageBytes);
        for (ulong n = 1; n <= 10; n++)
        {
            rig.Append(n, (long)n * 7);
        }

        rig.CommitGood();
        var image = rig.Chip.Image;
        var content = StoredContent.Of(rig.Store, 1).ToString();
        for (var cut = 0; cut < 300; cut++)
        {
            // What a whole start writes, and then one that loses its power before the head of the log moves.
            var whole = Opened(image, pageBytes, cut);
            var before = whole.Chip.Writes.Count;
            var started = whole.Loop.Run(whole.Store.StartAsync);
            Assert.True(started.IsOk, $"after {cut} starts that were cut: {started.Fault}");
            var writes = whole.Chip.Writes.Skip(before).ToList();

            var short_ = Opened(image, pageBytes, cut);
            short_.Chip.CutAfterBytes = writes.TakeWhile(w => w.Address >= BoardSuperblock.Size * 2).Sum(w => (long)w.Length);
            short_.Loop.Within(() => _ = short_.Store.StartAsync());
            short_.Loop.RunAll();
            image = [.. short_.Chip.Image];
        }

        Assert.Equal(content, StoredContent.Of(Opened(image, pageBytes, 0).Store, 1).ToString());

        static StoreRig Opened(byte[] image, int pageBytes, int seed)
        {
            var rig = new StoreRig([.. image], pageBytes, seed + 1);
            var result = rig.Open();
            Assert.True(result.State == NvmOpenState.Ok, result.Sentence);
            return rig;
        }
    }

    /// <summary>Opens, starts and runs a random history until it ends or the power goes.</summary>
    /// <returns>All contents there were, one a record, and the index of the one that was last told as stored.</returns>
    private static (StoreRig Rig, List<StoredContent> States, int Committed, long Bytes) Play(StoreRig rig, long cutAfter, int seed, int steps, int volumes)
    {
        var result = rig.Open();
        Assert.True(result.State == NvmOpenState.Ok, result.Sentence);
        rig.Chip.CutAfterBytes = cutAfter;
        var before = rig.Chip.BytesWritten;
        var states = new List<StoredContent> { StoredContent.Of(rig.Store, volumes) };
        var committed = 0;
        var random = new Random(seed);
        Task? start = null;
        rig.Loop.Within(() => start = rig.Store.StartAsync());
        rig.Loop.RunAll();
        for (var step = 0; step < steps && !rig.Chip.IsCut; step++)
        {
            Assert.True(start!.IsCompleted);
            var slot = random.Next(volumes);
            var volume = rig.Store.Volume(slot)!;
            var now = states[^1].Copy();
            switch (random.Next(12))
            {
                case 0 when volume.Table.Count > 0:
                    var retired = volume.Table[random.Next(volume.Table.Count)].Tag;
                    rig.Retire(retired, slot);
                    now.Retire(slot, retired);
                    states.Add(now);
                    break;
                case 1 when volume.Table.Count > 0:
                    var durable = volume.Table[random.Next(volume.Table.Count)].Tag;
                    rig.Store.SetDurable(slot, durable);
                    now.Durable(slot, durable);
                    states.Add(now);
                    break;
                case 2 when volume.Table.Count > 0:
                    var gone = volume.Table[random.Next(volume.Table.Count)].Tag;
                    rig.Store.RemoveEntry(slot, gone);
                    now.Remove(slot, gone);
                    states.Add(now);
                    break;
                case 3 when now.MarkCount(slot) < volume.MarksMax:
                    var mark = new RepairMark(new BlockRange(random.Next(1000), random.Next(1, 50)), (uint)random.Next(1, 4), (uint)random.Next(3));
                    rig.Store.AddMark(slot, mark);
                    now.Mark(slot, mark);
                    states.Add(now);
                    break;
                case 4:
                    var below = (uint)random.Next(1, 4);
                    rig.Store.ClearMarks(slot, below);
                    now.ClearMarks(slot, below);
                    states.Add(now);
                    break;
                case 5:
                    rig.Loop.Within(() => start = rig.Store.RestartAsync());
                    rig.Loop.RunAll();
                    continue;
                default:
                    var count = Math.Min(random.Next(1, 12), volume.CapacityEntries - volume.Table.Count);
                    var last = Math.Max(now.Retired(slot).Value, now.Tags(slot).Append(Tag.Of(1, 0).Value).Max());
                    for (var i = 0; i < count; i++)
                    {
                        last += (ulong)random.Next(1, random.Next(10) == 0 ? 5000 : 2);
                        var range = new BlockRange(random.NextInt64(1L << 28), random.Next(4) == 0 ? random.Next(1, 64) : 1);
                        if (range.End > 1L << 28)
                        {
                            range = new BlockRange(0, 1);
                        }

                        var generator = (ushort)random.Next(2);
                        var entry = volume.Table.NewEntry();
                        (entry.Tag, entry.Range, entry.Generator) = (new Tag(last), range, generator);
                        rig.Store.AppendEntry(slot, entry);
                        now = now.Copy();
                        now.Entry(slot, entry.Tag, range, generator);
                        states.Add(now);
                    }

                    break;
            }

            var outcome = rig.Commit();
            Assert.True(outcome.Ended || rig.Chip.IsCut, "a commit ends while there is power");
            if (outcome.Ended)
            {
                Assert.True(outcome.Status.IsOk, outcome.Status.Fault);
                committed = states.Count - 1;
                Assert.Equal(states[committed].ToString(), StoredContent.Of(rig.Store, volumes).ToString());
            }
        }

        return (rig, states, committed, rig.Chip.BytesWritten - before);
    }

    private static void Check(StoreRig rig, List<StoredContent> states, int committed, int volumes, string what)
    {
        var after = new StoreRig([.. rig.Chip.Image], rig.Chip.PageBytes);
        var result = after.Open();
        Assert.True(result.State == NvmOpenState.Ok, $"{what}: {result.Sentence}");
        var found = StoredContent.Of(after.Store, volumes).ToString();
        Assert.True(
            states.Skip(committed).Any(state => state.ToString() == found),
            $"{what}: found\n{found}\ncommitted was\n{states[committed]}");
    }
}
