using MirrorController.Protocol.Views;

namespace MirrorController.Tests.Unit.Views;

public sealed class MemberSetTests
{
    [Fact]
    public void Members_come_out_lowest_first()
    {
        var set = MemberSet.Of(15, 0, 3);
        var seen = new List<int>();
        foreach (var member in set)
        {
            seen.Add(member);
        }

        Assert.Equal([0, 3, 15], seen);
        Assert.Equal(3, set.Count);
        Assert.Equal(0, set.First);
        Assert.Equal("{0, 3, 15}", set.ToString());
    }

    [Fact]
    public void Sets_are_joined_met_and_subtracted()
    {
        var a = MemberSet.Of(0, 1);
        var b = MemberSet.Of(1, 2);
        Assert.Equal(MemberSet.Of(0, 1, 2), a | b);
        Assert.Equal(MemberSet.Of(1), a & b);
        Assert.Equal(MemberSet.Of(0), a - b);
        Assert.True(MemberSet.Of(1).IsSubsetOf(a));
        Assert.False(b.IsSubsetOf(a));
        Assert.True((a - a).IsEmpty);
        Assert.Equal(MemberSet.Range(16), new MemberSet(0xFFFF));
    }

    [Fact]
    public void A_number_beyond_fifteen_is_misuse()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => MemberSet.Empty.With(16));
        Assert.Throws<ArgumentOutOfRangeException>(() => MemberSet.Empty.With(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => MemberSet.Range(17));
        Assert.False(MemberSet.Range(16).Contains(16));
    }

    [Fact]
    public void Enumerating_allocates_nothing()
    {
        var set = MemberSet.Range(16);
        _ = Sum(set);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var sum = Sum(set);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(120, sum);
    }

    private static int Sum(MemberSet set)
    {
        var sum = 0;
        foreach (var member in set)
        {
            sum += member;
        }

        return sum;
    }
}
