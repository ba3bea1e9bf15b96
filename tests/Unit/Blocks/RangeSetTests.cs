using CsCheck;
using MirrorController.Protocol.Blocks;

namespace MirrorController.Tests.Unit.Blocks;

public sealed class RangeSetTests
{
    private const int Blocks = 64;

    [Fact]
    public void Ranges_that_touch_become_one()
    {
        var set = RangeSet.From([new(0, 4), new(8, 4), new(4, 4)]);
        Assert.Equal([new BlockRange(0, 12)], List(set));
        Assert.Equal(12, set.BlockCount);
    }

    [Fact]
    public void Removing_from_the_middle_leaves_both_ends()
    {
        var set = RangeSet.From([new(0, 10)]);
        set.Remove(new BlockRange(4, 2));
        Assert.Equal([new BlockRange(0, 4), new BlockRange(6, 4)], List(set));
        Assert.False(set.Contains(4));
        Assert.True(set.Contains(6));
        Assert.False(set.Contains(new BlockRange(3, 4)));
        Assert.True(set.Intersects(new BlockRange(3, 2)));
        Assert.False(set.Intersects(new BlockRange(4, 2)));
    }

    [Fact]
    public void A_set_larger_than_a_range_can_say_is_shown_in_parts()
    {
        var set = RangeSet.From([new(5, int.MaxValue), new(5L + int.MaxValue, 7)]);
        Assert.Equal([new BlockRange(5, int.MaxValue), new BlockRange(5L + int.MaxValue, 7)], List(set));
        Assert.Equal(1, set.Count);
        Assert.Equal(int.MaxValue + 7L, set.BlockCount);
    }

    [Fact]
    public void An_empty_or_negative_range_is_refused()
    {
        var set = new RangeSet();
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Add(new BlockRange(0, 0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Remove(new BlockRange(-1, 2)));
    }

    [Fact]
    public void Removing_while_walking_ends_with_nothing_left()
    {
        var set = RangeSet.From(Enumerable.Range(0, 100).Select(i => new BlockRange(i * 3, 2)));
        foreach (var range in set)
        {
            set.Remove(range);
        }

        Assert.True(set.IsEmpty);
        Assert.Equal(0, set.BlockCount);
    }

    [Fact]
    public void It_says_what_an_array_of_bits_says()
    {
        var range = Gen.Select(Gen.Int[0, Blocks - 1], Gen.Int[1, 12], (s, n) => new BlockRange(s, Math.Min(n, Blocks - s)));
        Gen.Select(Gen.Bool, range).Array[0, 60].Sample(changes =>
        {
            var bits = new bool[Blocks];
            var set = new RangeSet();
            foreach (var (add, r) in changes)
            {
                if (add)
                {
                    set.Add(r);
                }
                else
                {
                    set.Remove(r);
                }

                bits.AsSpan((int)r.Start, r.Count).Fill(add);
                Compare(bits, set);
            }
        });
    }

    private static void Compare(bool[] bits, RangeSet set)
    {
        var expected = new List<BlockRange>();
        for (var b = 0; b < Blocks; b++)
        {
            Assert.Equal(bits[b], set.Contains(b));
            if (bits[b])
            {
                var start = b;
                while (b < Blocks && bits[b])
                {
                    b++;
                }

                expected.Add(new BlockRange(start, b - start));
            }
        }

        Assert.Equal(expected, List(set));
        Assert.Equal(expected.Count, set.Count);
        Assert.Equal(bits.Count(x => x), set.BlockCount);
        Assert.Equal(expected.Count == 0, set.IsEmpty);
        for (var s = 0; s < Blocks; s += 3)
        {
            for (var n = 1; s + n <= Blocks; n += 4)
            {
                var window = bits.AsSpan(s, n);
                Assert.Equal(window.Contains(true), set.Intersects(new BlockRange(s, n)));
                Assert.Equal(!window.Contains(false), set.Contains(new BlockRange(s, n)));
            }
        }
    }

    private static List<BlockRange> List(RangeSet set)
    {
        var list = new List<BlockRange>();
        foreach (var range in set)
        {
            list.Add(range);
        }

        return list;
    }
}
