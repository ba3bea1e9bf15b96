using MirrorController.HostAgent.Configuration;
using MirrorController.HostAgent.Control;
using MirrorController.Tests.Unit.Rig;

namespace MirrorController.Tests.Unit.Cli;

public sealed class VerifyVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Without_an_agent_it_says_what_it_recovered_first_and_how_much_is_written()
    {
        var run = await VerifyAsync(new Boards(() => new VerifyModel
        {
            Volume = "tank",
            Equal = true,
            ComparedBytes = 300L << 20,
            SizeBytes = 1L << 30,
            Recovery = new RecoveryModel(7, 4096, 20),
            Differences = [],
            Milliseconds = 30,
        }));

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(
            [
                "tank: no agent serves it; recovered first: 7 blocks compared, 4 KiB copied in 20 ms",
                "tank: the mirrors are equal, 300 MiB of 1 GiB are written and were compared in 30 ms",
            ],
            run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Boards_that_do_not_answer_are_no_difference()
    {
        var run = await VerifyAsync(new Boards(() => throw new ControlException("Board pi-a does not answer.")));

        Assert.Equal(4, run.ExitCode);
        Assert.Equal("Board pi-a does not answer.\n", run.Error);
    }

    [Fact]
    public async Task A_status_without_an_agent_names_the_command_for_this_configuration()
    {
        var run = await CommandLineRun.OfAsync(new NoBoards(), "status", "--config", Config());

        Assert.Equal(4, run.ExitCode);
        Assert.EndsWith($"start it with 'mirrorctl serve --config {_folder.File("agent.json")}'.\n", run.Error, StringComparison.Ordinal);
    }

    private Task<CommandLineRun> VerifyAsync(IBoardDirectory boards) => CommandLineRun.OfAsync(boards, "verify", "tank", "--config", Config());

    private string Config() => _folder.Write("agent.json", """
        { "volume": "tank", "secret": "00112233445566778899aabbccddeeff", "http": "127.0.0.1:1",
          "boards": [ { "name": "pi-a", "address": "127.0.0.1:1" } ] }
        """);

    private sealed class Boards(Func<VerifyModel> verify) : IBoardDirectory
    {
        private readonly NoBoards _none = new();

        public Task<bool> AnswersAsync(AgentConfiguration agent, AgentBoard board, CancellationToken cancellation) => _none.AnswersAsync(agent, board, cancellation);

        public Task<IReadOnlyList<long>> CreateVolumeAsync(AgentConfiguration agent, VolumeBirth birth, CancellationToken cancellation) => _none.CreateVolumeAsync(agent, birth, cancellation);

        public Task<VolumeListModel> ListVolumesAsync(AgentConfiguration agent, CancellationToken cancellation) => _none.ListVolumesAsync(agent, cancellation);

        public Task<TableModel> ReadTableAsync(AgentConfiguration agent, AgentBoard board, CancellationToken cancellation) => _none.ReadTableAsync(agent, board, cancellation);

        public Task<RecoveryModel> RecoverAsync(AgentConfiguration agent, CancellationToken cancellation) => _none.RecoverAsync(agent, cancellation);

        public async Task<VerifyModel> VerifyAsync(AgentConfiguration agent, Action<long, long> progress, CancellationToken cancellation)
        {
            await Task.Yield();
            return verify();
        }
    }
}
