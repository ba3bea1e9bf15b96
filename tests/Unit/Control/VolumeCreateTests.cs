using MirrorController.Firmware.Array;
using MirrorController.Firmware.Configuration;
using MirrorController.Firmware.Devices;
using MirrorController.HostAgent.Configuration;
using MirrorController.HostAgent.Control;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime;
using MirrorController.Tests.Unit.Nbd;
using MirrorController.Tests.Unit.Rig;

namespace MirrorController.Tests.Unit.Control;

/// <summary><c>volume create</c> against boards whose disks are real files (section 10a).</summary>
public sealed class VolumeCreateTests : IDisposable
{
    private const long SizeBytes = 1 << 20;
    private static readonly byte[] _secret = [.. Enumerable.Repeat((byte)7, 32)];
    private readonly TemporaryFolder _folder = new();
    private readonly RuntimeLoop _loop = RuntimeLoop.Create(new LoopOptions { SpinMicros = 0 });
    private readonly Thread _thread;
    private readonly BoardDirectory _directory = new();
    private readonly List<(string Name, BoardNode Node, BoardDevices Devices)> _boards = [];

    public VolumeCreateTests() => _thread = _loop.StartThread("boards");

    public void Dispose()
    {
        _loop.Post(() =>
        {
            _boards.ForEach(b => b.Node.Stop());
            _loop.Stop();
        });
        _thread.Join();
        _boards.ForEach(b => b.Devices.Dispose());
        _directory.Dispose();
        _loop.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(4086, "SWAPSPACE2")]
    [InlineData(512, "LABELONE")]
    [InlineData(4096, "\u00fcN+\u00a9")]
    [InlineData(1 << 19, "somebody's database")]
    public async Task A_file_that_is_there_is_left_alone_without_wipe(int at, string content)
    {
        var foreign = new byte[1 << 20];
        content.Select(c => (byte)c).ToArray().CopyTo(foreign, at);
        await File.WriteAllBytesAsync(_folder.File("north.disk"), foreign, TestContext.Current.CancellationToken);
        await StartBoardAsync("north");
        await StartBoardAsync("south");

        var fault = await Assert.ThrowsAsync<ControlException>(() => CreateAsync(wipe: false));

        Assert.Equal($"Board north: the disk file {_folder.File("north.disk")} holds something foreign; if that may be overwritten, say --wipe.", fault.Message);
        Assert.Equal(foreign, await File.ReadAllBytesAsync(_folder.File("north.disk"), TestContext.Current.CancellationToken));
        Assert.False(File.Exists(_folder.File("south.disk")));

        await CreateAsync(wipe: true);
        await CreateAsync(wipe: false);
    }

    [Fact]
    public async Task A_file_that_another_process_uses_is_not_taken_away_from_it()
    {
        await using (File.Create(_folder.File("north.disk")))
        {
            await StartBoardAsync("north");
            Assert.Null(_boards[0].Devices.Disk.Create(SizeBytes, out _, out var sentence));
            Assert.Contains("another process", sentence, StringComparison.Ordinal);
        }

        Assert.True(File.Exists(_folder.File("north.disk")));
    }

    [Fact]
    public async Task A_board_more_in_the_list_is_refused_before_any_board_is_changed()
    {
        await StartBoardAsync("north");
        await StartBoardAsync("south");
        await CreateAsync(wipe: false);
        await StartBoardAsync("east");

        var fault = await Assert.ThrowsAsync<ControlException>(() => CreateAsync(wipe: true));

        Assert.Contains("volume pond exists and has 2 members, not 3; it is never overwritten or changed: repeat its creation with", fault.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.File("east.disk")));

        // With the list that it was created with it is repeated, and nothing is done.
        _boards.RemoveAt(2);
        await CreateAsync(wipe: false);
    }

    private Task<IReadOnlyList<long>> CreateAsync(bool wipe) => _directory.CreateVolumeAsync(
        new AgentConfiguration
        {
            FilePath = _folder.File("agent.json"),
            Volume = "pond",
            Nbd = new NodeAddress("127.0.0.1", 1),
            Http = new NodeAddress("127.0.0.1", 1),
            Secret = _secret,
            Boards = [.. _boards.Select(b => new AgentBoard(b.Name, b.Node.Address, b.Node.Address))],
            GraceMs = 1000,
        },
        new VolumeBirth(SizeBytes, wipe),
        TestContext.Current.CancellationToken);

    private async Task StartBoardAsync(string name)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _loop.Post(() => _ = StartAsync());
        await started.Task;

        async Task StartAsync()
        {
            try
            {
                var configuration = new BoardConfiguration
                {
                    Name = name,
                    Listen = new NodeAddress("127.0.0.1", 0),
                    Secret = _secret,
                    Nvm = new NvmConfiguration { Kind = NvmKind.Fram, FilePath = _folder.File(name + ".nvm") },
                    Disk = new DiskConfiguration { DiskPath = _folder.File(name + ".disk"), Kind = DiskKind.File, VolatileCache = false },
                    VolumesMax = 1,
                };
                var log = new ListLog();
                var devices = BoardDevices.Open(configuration, _loop, new SystemRandom(), log);
                var options = new BoardOptions { Name = name, Listen = configuration.Listen, Secret = _secret };
                var node = new BoardNode(_loop, _loop, new SystemRandom(), log, _loop.Pool, devices.Chip, devices.Disk, options);
                _boards.Add((name, node, devices));
                await node.StartAsync();
                started.SetResult();
            }
            catch (Exception e)
            {
                started.SetException(e);
            }
        }
    }
}
