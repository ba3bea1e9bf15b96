using MirrorController.Runtime.Configuration;

namespace MirrorController.Tests.Unit.Cli;

public sealed class SizeTextTests
{
    [Theory]
    [InlineData("1", 1L)]
    [InlineData("4096", 4096L)]
    [InlineData("512B", 512L)]
    [InlineData("4K", 4096L)]
    [InlineData("4KiB", 4096L)]
    [InlineData("4 kib", 4096L)]
    [InlineData("3M", 3L << 20)]
    [InlineData("1GiB", 1L << 30)]
    [InlineData("2g", 2L << 30)]
    [InlineData("1TiB", 1L << 40)]
    [InlineData("8388607T", 8388607L << 40)]
    public void A_size_is_read_in_powers_of_1024(string text, long bytes)
    {
        Assert.True(SizeText.TryParse(text, out var read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("G")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1.5G")]
    [InlineData("1GB")]
    [InlineData("1PiB")]
    [InlineData("8388608T")]
    [InlineData("99999999999999999999")]
    public void What_is_no_size_is_refused(string? text) => Assert.False(SizeText.TryParse(text, out _));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1 KiB")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(1L << 30, "1 GiB")]
    [InlineData(1L << 50, "1024 TiB")]
    public void A_size_is_shown_in_its_largest_unit(long bytes, string text) => Assert.Equal(text, SizeText.Format(bytes));
}
