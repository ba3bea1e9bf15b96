using System.Diagnostics;

namespace MirrorController.Tests.Unit.Cli;

public sealed class SilentAgentTests : IDisposable
{
    private readonly SilentAgent _agent = new();

    public void Dispose() => _agent.Dispose();

    [Fact]
    public async Task A_verify_of_a_silent_agent_ends_with_4_and_leaves_the_boards_alone()
    {
        var run = await CommandLineRun.OfAsync(new NoBoards(), "verify", "tank", "--config", _agent.ConfigPath);

        Assert.Equal(4, run.ExitCode);
        Assert.StartsWith("No agent answers at http://127.0.0.1:", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wait_for_a_silent_agent_ends_when_its_time_is_over()
    {
        string[] words = ["wait", "--for", "insync", "--timeout", "300ms", "--config", _agent.ConfigPath];
        // Once unmeasured: the first request of a process takes seconds on a busy machine.
        _ = await CommandLineRun.OfAsync(new NoBoards(), words);
        var clock = Stopwatch.StartNew();

        var run = await CommandLineRun.OfAsync(new NoBoards(), words);

        Assert.Equal(4, run.ExitCode);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(4), $"It took {clock.Elapsed}.");
    }
}
