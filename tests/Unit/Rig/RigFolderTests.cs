using System.Runtime.Versioning;
using System.Text;
using MirrorController.Firmware.Configuration;
using MirrorController.HostAgent.Cli;
using MirrorController.HostAgent.Configuration;
using MirrorController.HostAgent.Rig;
using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Unit.Rig;

/// <summary>What a rig keeps in its folder.</summary>
public sealed class RigFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private RigPaths Paths => new(_folder.File("lab"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_first_use_writes_configurations_that_board_and_agent_accept()
    {
        (await RigSession.PrepareAsync(Paths, new RigOptions { Boards = 3, SizeBytes = 1 << 20, Nvm = "eeprom", GraceMs = 1500 })).Dispose();

        var agent = AgentConfiguration.Read(Paths.AgentConfiguration, out var file);
        Assert.Null(file.FirstFault());
        Assert.Equal(["pi-a", "pi-b", "pi-c"], agent!.Boards.Select(b => b.Name));
        Assert.Equal(1500, agent.GraceMs);
        foreach (var board in agent.Boards)
        {
            var read = BoardConfiguration.Read(Paths.Configuration(board.Name), out file);
            Assert.Null(file.FirstFault());
            Assert.Equal(board.Address, read!.Listen);
            Assert.Equal(agent.Secret, read.Secret);
            Assert.Equal(NvmKind.Eeprom, read.Nvm.Kind);
            Assert.Equal(Paths.Nvm(board.Name), read.Nvm.FilePath);
            Assert.Equal(Paths.Disk(board.Name), read.Disk.DiskPath);
            Assert.True(read.Disk.VolatileCache);
        }

        Assert.Equal(4, agent.Boards.Select(b => b.Address.Port).Append(agent.Http.Port).Distinct().Count());
    }

    [Fact]
    public async Task A_port_that_the_user_wants_for_nbd_is_no_boards()
    {
        (await RigSession.PrepareAsync(Paths, new RigOptions { Boards = 3 })).Dispose();
        var first = RigState.Load(Paths)!;
        Assert.True(NodeAddress.TryParse(first.Boards[1].Listen, out var wanted));

        (await RigSession.PrepareAsync(Paths, new RigOptions { Nbd = wanted })).Dispose();

        var second = RigState.Load(Paths)!;
        Assert.Equal(wanted.ToString(), second.Nbd);
        Assert.NotEqual(first.Boards[1].Listen, second.Boards[1].Listen);
        Assert.Equal([first.Http, first.Boards[0].Listen, first.Boards[2].Listen], [second.Http, second.Boards[0].Listen, second.Boards[2].Listen]);
    }

    [Fact]
    public void No_port_is_given_that_was_asked_for_or_given_already()
    {
        using var ports = new FreePorts();
        const string Asked = "127.0.0.1:17999";
        ports.Leave(Asked);

        var kept = ports.KeepOrTake("127.0.0.1:18123");

        Assert.NotEqual(Asked, ports.KeepOrTake(Asked));
        Assert.NotEqual(kept, ports.KeepOrTake(kept));
    }

    [Fact]
    public async Task The_state_survives_and_options_that_were_not_named_stay()
    {
        (await RigSession.PrepareAsync(Paths, new RigOptions { Boards = 3, DiskCache = "none" })).Dispose();
        var first = RigState.Load(Paths)!;
        var secret = await File.ReadAllTextAsync(Paths.Secret, TestContext.Current.CancellationToken);

        (await RigSession.PrepareAsync(Paths, new RigOptions { NvmTiming = "real" })).Dispose();

        var second = RigState.Load(Paths)!;
        Assert.Equal(3, second.Boards.Count);
        Assert.Equal("none", second.DiskCache);
        Assert.Equal("real", second.NvmTiming);
        Assert.Equal(first.Boards.Select(b => b.Listen), second.Boards.Select(b => b.Listen));
        Assert.Equal(secret, await File.ReadAllTextAsync(Paths.Secret, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Another_number_of_boards_or_another_size_is_refused()
    {
        (await RigSession.PrepareAsync(Paths, new RigOptions())).Dispose();

        foreach (var other in new[] { new RigOptions { Boards = 3 }, new RigOptions { SizeBytes = 2L << 30 }, new RigOptions { Nvm = "eeprom" } })
        {
            var fault = await Assert.ThrowsAsync<CliFault>(() => RigSession.PrepareAsync(Paths, other));
            Assert.Equal(ExitCode.Usage, fault.ExitCode);
        }

        (await RigSession.PrepareAsync(Paths, new RigOptions { Boards = 2, SizeBytes = 1L << 30, Nvm = "fram" })).Dispose();
    }

    [Fact]
    public async Task A_second_supervisor_is_refused_as_long_as_the_first_holds_the_folder()
    {
        var first = await RigSession.PrepareAsync(Paths, new RigOptions());

        var fault = await Assert.ThrowsAsync<CliFault>(() => RigSession.PrepareAsync(Paths, new RigOptions()));
        Assert.Contains("A rig runs already in " + Paths.Folder, fault.Message, StringComparison.Ordinal);
        first.Dispose();
        (await RigSession.PrepareAsync(Paths, new RigOptions())).Dispose();
    }

    [Fact]
    public async Task A_port_that_somebody_has_taken_meanwhile_is_replaced()
    {
        (await RigSession.PrepareAsync(Paths, new RigOptions())).Dispose();
        var before = AgentConfiguration.Read(Paths.AgentConfiguration, out _)!;
        using var taker = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, before.Boards[0].Address.Port);
        taker.Start();

        (await RigSession.PrepareAsync(Paths, new RigOptions())).Dispose();

        var after = AgentConfiguration.Read(Paths.AgentConfiguration, out _)!;
        Assert.NotEqual(before.Boards[0].Address, after.Boards[0].Address);
        Assert.Equal(before.Boards[1].Address, after.Boards[1].Address);
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public async Task Nobody_else_may_look_into_the_folder()
    {
        (await RigSession.PrepareAsync(Paths, new RigOptions())).Dispose();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Paths.Folder));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Paths.Secret));
    }

    [Fact]
    public void A_state_that_cannot_be_read_is_one_sentence_and_nothing_is_overwritten()
    {
        Directory.CreateDirectory(Paths.Folder);
        File.WriteAllText(Paths.State, "{ broken");

        var fault = Assert.Throws<CliFault>(() => RigState.Load(Paths));

        Assert.Contains(Paths.State, fault.Message, StringComparison.Ordinal);
        Assert.Equal("{ broken", File.ReadAllText(Paths.State));
    }

    [Theory]
    [InlineData(20)]
    [InlineData(200)]
    public void The_socket_works_however_long_the_folders_path_is(int length)
    {
        var paths = new RigPaths(_folder.File(new string('x', length)));
        Directory.CreateDirectory(paths.Folder);
        Assert.Null(RigSocket.Connect(paths));

        using (var listener = RigSocket.Listen(paths))
        {
            using var client = RigSocket.Connect(paths);
            using var served = listener.Accept();
            Assert.NotNull(client);
            client.Send(Encoding.ASCII.GetBytes("x"));
            Assert.Equal(1, served.Receive(new byte[4]));
        }

        // A file that a killed supervisor left is in nobody's way.
        File.Delete(paths.Socket);
        File.WriteAllText(paths.Socket, "");
        Assert.Null(RigSocket.Connect(paths));
        using var again = RigSocket.Listen(paths);
        using var second = RigSocket.Connect(paths);
        Assert.NotNull(second);
    }

    [Fact]
    public void A_file_is_replaced_whole()
    {
        SafeFile.Replace(_folder.File("f"), "old"u8);
        File.WriteAllText(_folder.File("f.next"), "left by a crash");

        SafeFile.Replace(_folder.File("f"), "new"u8);

        Assert.Equal("new", File.ReadAllText(_folder.File("f")));
        Assert.False(File.Exists(_folder.File("f.next")));
    }
}
