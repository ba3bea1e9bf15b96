using MirrorController.HostAgent.Rig;

namespace MirrorController.Tests.Unit.Rig;

public sealed class LeftoversTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);
    private readonly TemporaryFolder _folder = new();
    private readonly List<IChild> _children = [];

    private RigPaths Paths => new(_folder.Path);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var child in _children)
        {
            child.Kill();
            await child.Exited;
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task Marked_processes_are_found_the_agent_first_and_end_cleanly()
    {
        var board = await StartAsync("pi-a", "pi-a", ShellCommand.Obedient);
        var host = await StartAsync("host", "host", ShellCommand.Obedient);

        var found = Leftovers.Find(Paths);
        // A shell that starts its sleep is there twice for a moment, until the fork has become another program.
        var first = found.DistinctBy(l => l.Node).ToList();
        Assert.Equal(["host", "pi-a"], first.Select(l => l.Node));
        Assert.Equal([host.Pid, board.Pid], first.Select(l => l.Row.Pid));
        await Leftovers.EndAsync(found);

        Assert.Equal(0, (await host.Exited.WaitAsync(Soon, TestContext.Current.CancellationToken)).Code);
        Assert.Equal(0, (await board.Exited.WaitAsync(Soon, TestContext.Current.CancellationToken)).Code);
        Assert.Empty(Leftovers.Find(Paths));
    }

    [Fact]
    public async Task A_stopped_leftover_is_killed()
    {
        var board = await StartAsync("pi-a", "pi-a", ShellCommand.Obedient);
        board.Stop();

        await Leftovers.EndAsync(Leftovers.Find(Paths)).WaitAsync(Soon, TestContext.Current.CancellationToken);

        Assert.Equal(Native.SigKill, (await board.Exited).Signal);
    }

    [Fact]
    public async Task A_process_started_by_hand_from_the_same_files_is_left_alone()
    {
        await StartAsync("by-hand", node: null, ShellCommand.Obedient, Paths.Configuration("pi-a"));

        Assert.Empty(Leftovers.Find(Paths));
    }

    [Fact]
    public async Task A_marked_process_with_another_command_line_is_left_alone()
    {
        await StartAsync("other", "pi-a", ShellCommand.Obedient, "--help");

        Assert.Empty(Leftovers.Find(Paths));
    }

    [Fact]
    public async Task Another_rigs_processes_are_left_alone()
    {
        await StartAsync("pi-a", "pi-a", ShellCommand.Obedient);

        Assert.Empty(Leftovers.Find(new RigPaths(_folder.Path + "x")));
        Assert.Empty(Leftovers.Find(new RigPaths(Path.GetDirectoryName(_folder.Path))));
    }

    [Fact]
    public async Task A_process_that_has_the_id_of_an_old_one_is_left_alone()
    {
        var board = await StartAsync("pi-a", "pi-a", ShellCommand.Obedient);
        var row = ProcessTable.Read(board.Pid)!;

        await Leftovers.EndAsync([new Leftover("pi-a", row with { StartTicks = row.StartTicks - 1 })]);

        Assert.False(ProcessTable.Read(board.Pid)!.IsDead);
    }

    private async Task<IChild> StartAsync(string log, string? node, string script, params string[] arguments)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        if (node is not null)
        {
            environment[Leftovers.Mark] = Leftovers.MarkOf(Paths, node);
        }

        string[] line = arguments.Length > 0 ? arguments : ["--config", Paths.Configuration(node!)];
        var child = Child.Start(ShellCommand.Of(_folder, script, log + ".log", environment, line));
        _children.Add(child);
        await ShellCommand.WaitForAsync(_folder.File(log + ".log"), "up", TestContext.Current.CancellationToken);
        return child;
    }
}
