using MirrorController.HostAgent.Rig;

namespace MirrorController.Tests.Unit.Rig;

public sealed class RigNodeTests : IAsyncLifetime
{
    private static readonly TimeSpan Max = TimeSpan.FromSeconds(20);
    private readonly TemporaryFolder _folder = new();
    private readonly List<RigNode> _nodes = [];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.CutAsync(silent: false);
            node.Dispose();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task A_node_that_answers_runs()
    {
        var node = Node(ShellCommand.Obedient);

        await node.StartAsync(Max, TestContext.Current.CancellationToken);

        Assert.Equal(NodeProcess.Running, node.Process);
        Assert.Null(node.Reason);
        Assert.NotNull(ProcessTable.Read(node.Pid));
    }

    [Fact]
    public async Task Starting_a_node_that_runs_changes_nothing()
    {
        var node = Node(ShellCommand.Obedient);
        await node.StartAsync(Max, TestContext.Current.CancellationToken);
        var pid = node.Pid;

        await node.StartAsync(Max, TestContext.Current.CancellationToken);

        Assert.Equal(pid, node.Pid);
    }

    [Fact]
    public async Task A_cut_node_is_dead_when_the_cut_returns_and_comes_back_with_a_new_process()
    {
        var node = Node(ShellCommand.Stubborn);
        await node.StartAsync(Max, TestContext.Current.CancellationToken);
        var pid = node.Pid;

        await node.CutAsync(silent: false);

        Assert.Equal(NodeProcess.Cut, node.Process);
        Assert.Equal(0, node.Pid);
        Assert.Null(ProcessTable.Read(pid));
        await node.StartAsync(Max, TestContext.Current.CancellationToken);
        Assert.Equal(NodeProcess.Running, node.Process);
        Assert.NotEqual(pid, node.Pid);
    }

    [Fact]
    public async Task A_silently_cut_node_is_stopped_and_its_restore_kills_it_first()
    {
        var node = Node(ShellCommand.Stubborn);
        await node.StartAsync(Max, TestContext.Current.CancellationToken);
        var pid = node.Pid;

        await node.CutAsync(silent: true);

        Assert.Equal(NodeProcess.Silent, node.Process);
        Assert.True(ProcessTable.Read(pid)!.IsStopped);
        await node.StartAsync(Max, TestContext.Current.CancellationToken);
        Assert.Null(ProcessTable.Read(pid));
        Assert.Equal(NodeProcess.Running, node.Process);
    }

    [Fact]
    public async Task A_cut_hits_a_node_that_is_just_starting()
    {
        var node = Node("echo hello; sleep 60", answer: "never");
        var starting = node.StartAsync(Max, TestContext.Current.CancellationToken);
        await ShellCommand.WaitForAsync(node.LogPath, "hello", TestContext.Current.CancellationToken);

        await node.CutAsync(silent: false);

        var e = await Assert.ThrowsAnyAsync<IOException>(() => starting);
        Assert.Equal("node does not run: its power was cut.", e.Message);
        Assert.Equal(NodeProcess.Cut, node.Process);
    }

    [Fact]
    public async Task A_node_that_ends_by_itself_says_its_last_words()
    {
        var node = Node("echo 2026-01-02T03:04:05.678Z error   The chip is on fire.; exit 3", answer: "never");

        var e = await Assert.ThrowsAnyAsync<IOException>(() => node.StartAsync(Max, TestContext.Current.CancellationToken));

        Assert.Equal("node does not run: it exited with code 3: The chip is on fire.", e.Message);
        Assert.Equal(NodeProcess.Died, node.Process);
    }

    [Fact]
    public async Task A_node_that_does_not_answer_in_time_is_one_sentence_and_can_be_waited_for_again()
    {
        var node = Node("echo hello; read line < pipe; echo up; sleep 60", prepare: "mkfifo pipe 2>/dev/null; ");

        var e = await Assert.ThrowsAnyAsync<IOException>(() => node.StartAsync(TimeSpan.FromMilliseconds(1), TestContext.Current.CancellationToken));
        Assert.Contains("does not answer within", e.Message, StringComparison.Ordinal);
        Assert.Equal(NodeProcess.Starting, node.Process);
        var pid = node.Pid;
        await ShellCommand.WaitForAsync(node.LogPath, "hello", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_folder.File("pipe"), "go\n", TestContext.Current.CancellationToken);

        await node.StartAsync(Max, TestContext.Current.CancellationToken);

        Assert.Equal(pid, node.Pid);
        Assert.Equal(NodeProcess.Running, node.Process);
    }

    [Fact]
    public async Task A_node_ends_cleanly_when_it_is_asked()
    {
        var node = Node(ShellCommand.Obedient);
        await node.StartAsync(Max, TestContext.Current.CancellationToken);

        Assert.True(await node.StopAsync(Max));

        Assert.Equal(NodeProcess.Off, node.Process);
        Assert.Equal(0, node.Pid);
    }

    [Fact]
    public async Task A_node_that_does_not_end_in_time_is_killed()
    {
        var node = Node(ShellCommand.Stubborn);
        await node.StartAsync(Max, TestContext.Current.CancellationToken);
        var pid = node.Pid;

        Assert.False(await node.StopAsync(TimeSpan.FromMilliseconds(50)));

        Assert.Null(ProcessTable.Read(pid));
    }

    [Fact]
    public async Task A_stopped_node_is_killed_at_the_end_without_being_asked()
    {
        var node = Node(ShellCommand.Obedient);
        await node.StartAsync(Max, TestContext.Current.CancellationToken);
        var pid = node.Pid;
        await node.CutAsync(silent: true);

        Assert.False(await node.StopAsync(TimeSpan.FromDays(1)).WaitAsync(Max, TestContext.Current.CancellationToken));

        Assert.Null(ProcessTable.Read(pid));
    }

    [Fact]
    public async Task Nothing_is_started_once_the_rig_goes_down()
    {
        var node = Node(ShellCommand.Obedient);
        await node.StopAsync(Max);

        var e = await Assert.ThrowsAnyAsync<IOException>(() => node.StartAsync(Max, TestContext.Current.CancellationToken));

        Assert.Contains("going down", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(1, 1)]
    [InlineData(64, 1)]
    public async Task A_node_that_ends_as_unusable_makes_the_rig_unusable(int code, int expected)
    {
        var node = Node($"echo 'The port is taken.'; exit {code}");

        var e = await Assert.ThrowsAsync<NodeFault>(() => node.StartAsync(Max, TestContext.Current.CancellationToken));

        Assert.Equal(expected, e.ExitCode);
        Assert.Equal($"node does not run: it exited with code {code}: The port is taken.", e.Message);
    }

    [Fact]
    public async Task A_killed_node_is_not_said_to_have_died_of_its_last_log_line()
    {
        var node = Node("echo 'All is well.'; kill -9 $$");

        var e = await Assert.ThrowsAsync<NodeFault>(() => node.StartAsync(Max, TestContext.Current.CancellationToken));

        Assert.Equal($"node does not run: it ended by signal 9; see {_folder.File("node.log")}.", e.Message);
    }

    private RigNode Node(string script, string answer = "up", string prepare = "")
    {
        var command = ShellCommand.Of(_folder, $"cd {_folder.Path}; {prepare}{script}");
        // Each life has a log of its own, so that an earlier 'up' is no answer.
        var lives = 0;
        var node = new RigNode("node", command, _ =>
        {
            var ups = File.Exists(command.LogPath) ? File.ReadAllLines(command.LogPath).Count(l => l == answer) : 0;
            if (ups <= lives)
            {
                return Task.FromResult(false);
            }

            lives = ups;
            return Task.FromResult(true);
        });
        _nodes.Add(node);
        return node;
    }
}
