using System.Diagnostics;
using MirrorController.Protocol.Coordination;

namespace MirrorController.HostAgent.Control;

/// <summary>Runs a comparison on a coordinator's loop and makes the model of its outcome.</summary>
internal static class Verifier
{
    /// <summary>Compares all members.</summary>
    /// <exception cref="ControlException">It could not be done to its end.</exception>
    /// <exception cref="OperationCanceledException">The caller has gone.</exception>
    public static async Task<VerifyModel> RunAsync(Coordinator coordinator, Action<long, long> progress, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        var result = await coordinator.VerifyAsync(done =>
        {
            cancellation.ThrowIfCancellationRequested();
            progress(done, coordinator.SizeBytes);
        });
        if (!result.Completed)
        {
            throw new ControlException(result.Trouble!);
        }

        return new VerifyModel
        {
            Volume = coordinator.Name,
            Equal = result.Differences.Count == 0,
            ComparedBytes = result.ComparedBytes,
            SizeBytes = coordinator.SizeBytes,
            Differences = [.. result.Differences.Select(d => new DifferenceModel(d.Start * coordinator.BlockBytes, (long)d.Count * coordinator.BlockBytes))],
            Milliseconds = clock.ElapsedMilliseconds,
        };
    }
}
