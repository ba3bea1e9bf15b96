using MirrorController.HostAgent.Rig;

namespace MirrorController.Tests.Unit.Rig;

public sealed class ChildTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_child_writes_into_its_log_and_tells_its_exit_code()
    {
        var child = Child.Start(ShellCommand.Of(_folder, "echo out; echo err >&2; exit 7"));

        var exit = await child.Exited.WaitAsync(Soon, TestContext.Current.CancellationToken);

        Assert.Equal(new ChildExit(7, null), exit);
        Assert.Equal("out\nerr\n", await File.ReadAllTextAsync(_folder.File("node.log"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_child_leads_a_session_of_its_own_and_inherits_neither_input_nor_descriptors()
    {
        using var open = File.OpenRead("/proc/self/stat");
        var child = Child.Start(ShellCommand.Of(_folder, "readlink /proc/self/fd/0; ls /proc/$$/fd | sort -n | tail -n 1; echo up; sleep 60"));
        await ShellCommand.WaitForAsync(_folder.File("node.log"), "up", TestContext.Current.CancellationToken);

        var row = ProcessTable.Read(child.Pid)!;
        child.Kill();
        var exit = await child.Exited.WaitAsync(Soon, TestContext.Current.CancellationToken);

        Assert.Equal(child.Pid, row.Session);
        Assert.Equal(new ChildExit(null, Native.SigKill), exit);
        var lines = await File.ReadAllLinesAsync(_folder.File("node.log"), TestContext.Current.CancellationToken);
        Assert.Equal("/dev/null", lines[0]);
        Assert.InRange(int.Parse(lines[1]), 0, 10);
    }

    [Fact]
    public async Task A_child_has_the_signals_that_a_shell_expects()
    {
        // .NET ignores SIGPIPE; a child that inherited that would never end by it.
        var child = Child.Start(ShellCommand.Of(_folder, "grep -E 'SigIgn|SigBlk' /proc/self/status"));

        await child.Exited.WaitAsync(Soon, TestContext.Current.CancellationToken);

        var lines = await File.ReadAllLinesAsync(_folder.File("node.log"), TestContext.Current.CancellationToken);
        foreach (var line in lines)
        {
            // The C library keeps the two real-time signals above these for itself.
            Assert.Equal(0UL, Convert.ToUInt64(line.Split('\t')[1], 16) & 0x7FFF_FFFF);
        }

        Assert.Equal(2, lines.Length);
    }

    [Fact]
    public async Task A_stopped_child_has_stopped_when_the_call_returns_and_can_be_killed()
    {
        var child = Child.Start(ShellCommand.Of(_folder, ShellCommand.Obedient));
        await ShellCommand.WaitForAsync(_folder.File("node.log"), "up", TestContext.Current.CancellationToken);

        child.Stop();

        Assert.True(ProcessTable.Read(child.Pid)!.IsStopped);
        child.Kill();
        Assert.Equal(Native.SigKill, (await child.Exited.WaitAsync(Soon, TestContext.Current.CancellationToken)).Signal);
    }

    [Fact]
    public async Task Signals_to_a_child_that_has_ended_do_nothing()
    {
        var child = Child.Start(ShellCommand.Of(_folder, "exit 0"));
        await child.Exited.WaitAsync(Soon, TestContext.Current.CancellationToken);

        child.Terminate();
        child.Stop();
        child.Kill();

        Assert.Null(ProcessTable.Read(child.Pid));
    }

    [Fact]
    public void A_program_that_does_not_exist_is_one_sentence()
    {
        var command = ShellCommand.Of(_folder, "") with { File = _folder.File("none") };

        var e = Assert.Throws<IOException>(() => Child.Start(command));

        Assert.Contains("none cannot be started", e.Message, StringComparison.Ordinal);
    }
}
