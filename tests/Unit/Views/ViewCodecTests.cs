using CsCheck;
using MirrorController.Protocol.Views;

namespace MirrorController.Tests.Unit.Views;

public sealed class ViewCodecTests
{
    private static readonly SessionId Session1 = new(1, 0x1111);

    [Fact]
    public void The_bytes_are_pinned()
    {
        var view = View.First(new SessionId(0x010203, 0x1122334455667788), 0xA1A2A3A4A5A6A7A8, MemberSet.Range(3), 0x40000000)
            .Next(new SessionId(0x010204, 0x99), 0xB1B2B3B4B5B6B7B8, MemberSet.Of(0, 2), forced: true)
            .Next(new SessionId(0x010205, 0x9A), 0xC1C2C3C4C5C6C7C8, MemberSet.Of(2));
        var bytes = new byte[View.Size];
        view.WriteTo(bytes);
        Assert.Equal(176, View.Size);
        Assert.Equal(
            "010007000400070005020100" + "9A00000000000000" + "03000000" + "C8C7C6C5C4C3C2C1" + "0000004000000000" + "02000000" + "01000000"
            + "B8B7B6B5B4B3B2B1" + "A8A7A6A5A4A3A2A1" + new string('0', 14 * 16),
            Convert.ToHexString(bytes));
    }

    [Fact]
    public void What_was_written_is_read()
    {
        Gen.Select(Gen.Int[0, 40], Gen.UShort, Gen.Bool).Sample((changes, bits, forced) =>
        {
            var view = View.First(Session1, 1, MemberSet.Range(16), 4096);
            for (var i = 0; i < changes; i++)
            {
                view = view.Next(new SessionId(Session1.Number + (uint)i, 7), (ulong)i + 2, new MemberSet((ushort)(bits | 1)), forced && i % 3 == 0);
            }

            var bytes = new byte[View.Size];
            view.WriteTo(bytes);
            Assert.True(View.TryRead(bytes, out var read, out var fault), fault);
            Assert.True(view.IsSameAs(read));
            Assert.Equal(Math.Min(changes, View.AncestorsMax), read.Ancestors.Length);
        });
    }

    [Theory]
    [InlineData(0, 2, "format is 2")]
    [InlineData(1, 2, "must be zero")]
    [InlineData(41, 1, "must be zero")]
    [InlineData(46, 1, "must be zero")]
    [InlineData(64, 1, "must be zero")]
    [InlineData(40, 17, "at most 16")]
    [InlineData(40, 0, "must be zero")]
    [InlineData(4, 0, "as in sync")]
    [InlineData(4, 8, "as in sync")]
    [InlineData(6, 1, "voters")]
    [InlineData(11, 1, "last number is 16777215")]
    [InlineData(39, 0x80, "size")]
    [InlineData(44, 2, "forced that it does not name")]
    [InlineData(20, 5, "it must name all")]
    [InlineData(20, 1, "it must name all")]
    public void A_damaged_view_is_refused_with_a_sentence(int offset, byte value, string part)
    {
        var bytes = new byte[View.Size];
        View.First(Session1, 5, MemberSet.Range(2), 4096).Next(Session1, 6, MemberSet.Of(0)).WriteTo(bytes);
        bytes[offset] = value;
        Assert.False(View.TryRead(bytes, out var view, out var fault));
        Assert.Null(view);
        Assert.Contains(part, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Short_bytes_are_refused()
    {
        Assert.False(View.TryRead(new byte[View.Size - 1], out _, out var fault));
        Assert.Contains("175", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void An_ancestor_that_is_the_view_itself_is_refused()
    {
        var bytes = new byte[View.Size];
        View.First(Session1, 5, MemberSet.Range(2), 4096).Next(Session1, 6, MemberSet.Of(0)).WriteTo(bytes);
        bytes[48] = 6;
        Assert.False(View.TryRead(bytes, out _, out var fault));
        Assert.Contains("itself", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_view_cannot_follow_one_of_a_later_session()
    {
        var view = View.First(new SessionId(5, 1), 1, MemberSet.Range(2), 4096);
        Assert.Throws<ArgumentException>(() => view.Next(new SessionId(4, 1), 2, MemberSet.Of(0)));
        Assert.Throws<ArgumentException>(() => view.Next(new SessionId(5, 1), 2, MemberSet.Empty));
    }

    [Fact]
    public void Sessions_are_ordered_by_number_alone()
    {
        Assert.True(new SessionId(1, 9) < new SessionId(2, 3));
        Assert.True(new SessionId(2, 9) >= new SessionId(2, 10));
        Assert.NotEqual(new SessionId(2, 9), new SessionId(2, 10));
        var bytes = new byte[SessionId.Size];
        new SessionId(SessionId.MaxNumber, 0x0102).WriteTo(bytes);
        Assert.Equal("FFFFFF000201000000000000", Convert.ToHexString(bytes));
        Assert.True(SessionId.TryRead(bytes, out var read));
        Assert.Equal(new SessionId(SessionId.MaxNumber, 0x0102), read);
        bytes[3] = 1;
        Assert.False(SessionId.TryRead(bytes, out _));
    }
}
