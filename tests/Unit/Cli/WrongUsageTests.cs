using System.CommandLine;
using MirrorController.HostAgent.Cli;

namespace MirrorController.Tests.Unit.Cli;

public sealed class WrongUsageTests
{
    [Theory]
    [InlineData("'12Q'", "rig", "up", "--size", "12Q")]
    [InlineData("from 2 to 5", "rig", "up", "--boards", "6")]
    [InlineData("from 2 to 5", "rig", "up", "--boards", "two")]
    [InlineData("fram, eeprom", "rig", "up", "--nvm", "flash")]
    [InlineData("real, none", "rig", "up", "--nvm-timing", "fast")]
    [InlineData("volatile, none", "rig", "up", "--disk-cache", "yes")]
    [InlineData("HOST:PORT", "rig", "up", "--nbd", "10809")]
    [InlineData("30s", "rig", "up", "--grace", "30")]
    [InlineData("multiple of 4096; the next one is 8192", "rig", "up", "--size", "5000")]
    [InlineData("'NODE'", "rig", "cut")]
    [InlineData("'fly'", "fly")]
    [InlineData("insync", "wait", "--for", "ever")]
    [InlineData("exclude each other", "status", "--dir", "/a", "--config", "/b")]
    [InlineData("--size", "volume", "create", "tank", "--config", "/a")]
    [InlineData("/nowhere/agent.json does not exist", "serve", "--config", "/nowhere/agent.json")]
    [InlineData("no rig in /nowhere", "status", "--dir", "/nowhere")]
    [InlineData("no rig in /nowhere", "rig", "down", "--dir", "/nowhere")]
    [InlineData("no rig in /nowhere", "rig", "status", "--dir", "/nowhere")]
    [InlineData("no rig in /nowhere", "rig", "cut", "pi-a", "--dir", "/nowhere")]
    [InlineData("--dir is empty", "rig", "status", "--dir", "")]
    [InlineData("--dir is empty", "rig", "up", "--dir", "")]
    [InlineData("--dir is empty", "rig", "torture", "--dir", "")]
    [InlineData("--dir is empty", "status", "--dir", "")]
    [InlineData("--config is empty", "status", "--config", "")]
    [InlineData("--config is empty", "serve", "--config", "")]
    [InlineData("--config is empty", "volume", "create", "tank", "--size", "1MiB", "--config", " ")]
    [InlineData("NODE is empty", "rig", "cut", "")]
    [InlineData("NODE is empty", "rig", "restore", "pi-a", "")]
    public async Task Wrong_usage_is_one_sentence_and_exit_code_64(string expected, params string[] arguments)
    {
        var run = await CommandLineRun.OfAsync(new NoBoards(), arguments);

        Assert.Equal(64, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(run.Output);
    }

    [Fact]
    public void Every_verb_shows_an_example_in_its_help()
    {
        using var writer = new StringWriter();
        var root = CommandLine.Build(new CliContext(Screen.Plain(writer, writer), new NoBoards()));

        foreach (var path in Verbs(root, []))
        {
            using var help = new StringWriter();
            root.Parse([.. path, "--help"]).Invoke(new InvocationConfiguration { Output = help });
            Assert.Contains("  mirrorctl " + string.Join(' ', path), help.ToString(), StringComparison.Ordinal);
        }
    }

    private static IEnumerable<string[]> Verbs(Command command, string[] path) => command.Subcommands
        .Where(c => !c.Hidden)
        .SelectMany(c => c.Subcommands.Count == 0 ? [[.. path, c.Name]] : Verbs(c, [.. path, c.Name]));
}
