using MirrorController.Runtime.Configuration;

namespace MirrorController.Tests.Unit.Cli;

public sealed class DurationTextTests
{
    [Theory]
    [InlineData("1ms", 1)]
    [InlineData("250ms", 250)]
    [InlineData("30s", 30_000)]
    [InlineData("2m", 120_000)]
    public void A_time_is_read_with_its_unit_and_shown_the_same(string text, long milliseconds)
    {
        Assert.True(DurationText.TryParse(text, out var read));
        Assert.Equal(milliseconds, read);
        Assert.Equal(text, DurationText.Format(read));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("3")]
    [InlineData("0s")]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("1h")]
    [InlineData("1.5s")]
    [InlineData("35792m")]
    public void What_is_no_time_is_refused(string? text) => Assert.False(DurationText.TryParse(text, out _));
}
