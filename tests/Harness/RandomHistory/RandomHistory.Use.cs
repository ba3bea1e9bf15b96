using MirrorController.Protocol.Seams;
using MirrorController.Tests.Harness.Checker;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <content>What has healed is used: all of it is read and written.</content>
public sealed partial class RandomHistory
{
    private const int UsePartBytes = 256 * 1024;
    private const long UseMaxMs = 30_000;

    private void Use(HistoryHost host)
    {
        var requests = new List<SimRequest>();
        for (long at = 0; at < Plan.SizeBytes; at += UsePartBytes)
        {
            var (offset, length) = (at, (int)Math.Min(UsePartBytes, Plan.SizeBytes - at));
            var read = Checker.Read(host.Session, offset, length);
            var reading = Expect(requests, $"read of {offset}+{length}", r => Checker.Complete(read, r.Data));
            host.Node.Post(() => host.Coordinator.Read(offset, length, reading));

            var write = Checker.Write(host.Session, offset, length, fua: true);
            Began(write);
            var writing = Expect(requests, $"write of {offset}+{length}", _ =>
            {
                Checker.Acknowledge(write);
                Ended(write);
            });
            host.Node.Post(() =>
            {
                var payload = Payload.Take(Slice.Copy(write.MakeData()));
                host.Coordinator.Write(1, offset, payload, fua: true, writing);
                payload.Release();
            });
        }

        if (!World.TryRunUntil(() => requests.TrueForAll(r => r.IsDone), UseMaxMs))
        {
            throw new ConsistencyViolationException($"Rule 9: {host.Session.Name} has healed, but {requests.Count(r => !r.IsDone)} of {requests.Count} requests do not end.");
        }
    }

    private static SimRequest Expect(List<SimRequest> requests, string what, Action<SimRequest> ok)
    {
        var request = new SimRequest
        {
            Ended = r =>
            {
                if (r.Error != VolumeError.None)
                {
                    throw new ConsistencyViolationException($"After everything has healed a {what} ended with {r.Error}.");
                }

                ok(r);
            },
        };
        requests.Add(request);
        return request;
    }
}
