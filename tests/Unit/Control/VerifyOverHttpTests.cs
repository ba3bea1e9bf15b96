using System.Net;
using MirrorController.HostAgent.Control;
using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Unit.Control;

public sealed class VerifyOverHttpTests
{
    [Fact]
    public async Task A_volume_that_is_not_there_is_answered_404_with_the_sentence()
    {
        await using var server = await ControlServer.StartAsync(new NodeAddress("127.0.0.1", 0), new Agent(new TaskCompletionSource<VerifyModel>()));
        using var http = new HttpClient();
        using var client = new ControlClient(server.Address);

        using var answer = await http.PostAsync(new Uri(server.Address, "verify/pool"), null, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        var fault = await Assert.ThrowsAsync<ControlException>(() => client.VerifyAsync("pool", (_, _) => { }, TestContext.Current.CancellationToken));
        Assert.Equal("There is no volume pool here.", fault.Message);
    }

    [Fact]
    public async Task A_comparison_that_has_to_wait_gives_signs_of_life_until_its_result()
    {
        var result = new TaskCompletionSource<VerifyModel>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await ControlServer.StartAsync(new NodeAddress("127.0.0.1", 0), new Agent(result));
        using var client = new ControlClient(server.Address);
        var signs = 0;

        var verify = client.VerifyAsync(
            "tank",
            (_, _) =>
            {
                if (++signs == 3)
                {
                    result.SetResult(new VerifyModel { Volume = "tank", Equal = true, ComparedBytes = 5, SizeBytes = 9, Differences = [], Milliseconds = 1 });
                }
            },
            TestContext.Current.CancellationToken);

        Assert.Equal(5, (await verify)!.ComparedBytes);
    }

    private sealed class Agent(TaskCompletionSource<VerifyModel> result) : IAgentControl
    {
        public Task<StatusModel> GetStatusAsync(CancellationToken cancellation) => throw new InvalidOperationException("The status was asked for.");

        public Task<VerifyModel> VerifyAsync(string volume, Action<long, long> progress, CancellationToken cancellation) => volume == "tank"
            ? result.Task
            : throw new ControlException("There is no volume pool here.");

        public void BeginShutdown() => throw new InvalidOperationException("The agent was told to end.");
    }
}
