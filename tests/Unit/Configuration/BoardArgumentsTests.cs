using MirrorController.Firmware.Service;

namespace MirrorController.Tests.Unit.Configuration;

public sealed class BoardArgumentsTests
{
    [Theory]
    [InlineData("--config is missing")]
    [InlineData("--config needs a file", "--config")]
    [InlineData("--config needs a file", "--config", "")]
    [InlineData("--config needs a file", "--config", " ", "--check")]
    [InlineData("'--fly' is not known", "--fly")]
    public void Wrong_usage_is_one_sentence(string expected, params string[] arguments)
    {
        Assert.Null(BoardArguments.Parse(arguments, out var fault));
        Assert.StartsWith(expected, fault, StringComparison.Ordinal);
    }
}
