using MirrorController.Protocol.Seams;
using MirrorController.Tests.Harness.Checker;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>An application of a random history: reads, writes and flushes, several in flight, for one life of its host.</summary>
/// <remarks>At each of its moments it draws from random numbers of that moment: what it does there does not depend on what was left out before.</remarks>
internal sealed class HistoryGenerator(RandomHistory history, HistoryHost host, int life, int number)
{
    private const int PartBytes = 256 * 1024;

    private readonly SimLoop _loop = host.Node.Loop!;
    private readonly CheckedSession _session = host.Session;
    private SimRandom _random = history.World.RandomFor($"application {number} of life {life}");
    private int _moment;
    private int _inFlight;

    private HistoryPlan Plan => history.Plan;

    private ConsistencyChecker Checker => history.Checker;

    public void Start() => history.World.ScheduleIn(_random.Between(0, Plan.PauseMaxMicros), Next);

    private void Next()
    {
        if (_loop.IsDead || history.IsEnding)
        {
            return;
        }

        var name = new RequestName(life, number, ++_moment);
        _random = history.World.RandomFor($"request {name}");
        if (_inFlight < Plan.DepthMax && !_loop.IsPaused && host.Coordinator.SizeBytes > 0 && history.Limits.Has(name))
        {
            Issue(name);
        }

        _random = history.World.RandomFor($"pause after {name}");
        Start();
    }

    private void Issue(RequestName name)
    {
        history.Issued.Add(name);
        history.LookAtHosts();
        _inFlight++;
        var coordinator = host.Coordinator;
        if (_random.OneIn(Plan.FlushOneIn))
        {
            var flush = Checker.Flush(_session);
            _loop.Post(() => coordinator.Flush(Track(name, "flush", null, ok: _ => history.Flushed(flush))));
            return;
        }

        var isRead = _random.Below(100) < Plan.ReadShare;
        var (offset, length) = DrawRange(isRead);
        if (isRead)
        {
            var read = Checker.Read(_session, offset, length);
            _loop.Post(() => coordinator.Read(offset, length, Track(name, $"read of {offset}+{length}", (offset, length), ok: r => Checker.Complete(read, r.Data))));
            return;
        }

        var fua = _random.OneIn(Plan.FuaOneIn);
        var parts = new List<CheckedWrite>();
        while (length > 0)
        {
            // As the NBD server cuts it: parts in flight together, one reply at the end.
            var n = Math.Min(length, PartBytes - (int)(offset % PartBytes));
            parts.Add(Checker.Write(_session, offset, n, fua));
            history.Began(parts[^1]);
            (offset, length) = (offset + n, length - n);
        }

        _inFlight += parts.Count - 1;
        var open = parts.Count;
        foreach (var part in parts)
        {
            _loop.Post(() =>
            {
                var payload = Payload.Take(Slice.Copy(part.MakeData()));
                coordinator.Write(number, part.OffsetBytes, payload, part.Fua, Track(
                    name,
                    $"write of {part.OffsetBytes}+{part.LengthBytes}{(fua ? " with FUA" : string.Empty)}, version {part.Version},",
                    (part.OffsetBytes, part.LengthBytes),
                    ok: _ =>
                    {
                        Checker.Take(part);
                        if (--open == 0 && parts.TrueForAll(p => !p.HasFailed))
                        {
                            parts.ForEach(Checker.Acknowledge);
                        }

                        history.Ended(part);
                    },
                    failed: () =>
                    {
                        open--;
                        Checker.Failed(part);
                    }));
                payload.Release();
            });
        }
    }

    private SimRequest Track(RequestName name, string what, (long OffsetBytes, long LengthBytes)? range, Action<SimRequest> ok, Action? failed = null)
    {
        var request = new SimRequest { Owner = _loop };
        history.Open(request, what);
        var issuedMicros = history.World.NowMicros;
        var wasBad = range is { } asked && host.IsBad(asked.OffsetBytes, asked.LengthBytes);
        Tell(name, what, "is issued");
        request.Ended = r =>
        {
            _inFlight--;
            history.Closed(r);
            history.LookAtHosts();
            Tell(name, what, r.Error == VolumeError.None ? "has ended" : $"ended with {r.Error}");
            switch (r.Error)
            {
                case VolumeError.None:
                    ok(r);
                    break;
                case VolumeError.Shutdown when host.IsOver || host.IsTold:
                case VolumeError.Io when range is { } part
                    && (wasBad || host.IsBad(part.OffsetBytes, part.LengthBytes) || history.HaveAllFailedToRead(part.OffsetBytes, part.LengthBytes, issuedMicros)):
                    // All boards failed to read it, or to read the edges of a write that is not aligned.
                    failed?.Invoke();
                    break;
                default:
                    throw new ConsistencyViolationException($"A {what} ended with {r.Error}, which no fault of this history explains.");
            }
        };
        return request;
    }

    private void Tell(RequestName name, string what, string event_)
    {
        if (history.World.IsVerbose)
        {
            history.World.Note($"{host.Node.Name}: request {name}, a {what} {event_}");
        }
    }

    private (long OffsetBytes, int LengthBytes) DrawRange(bool isRead)
    {
        var blockBytes = Plan.BlockBytes;
        var large = _random.OneIn(Plan.LargeOneIn);
        var count = 1 + _random.Below(large ? PartBytes / blockBytes : 4);
        var first = _random.Below(_random.OneIn(8) ? Plan.Blocks : Plan.HotBlocks);
        if (!isRead && _random.OneIn(Plan.HugeOneIn))
        {
            // Up to the whole volume, in parts.
            count = Plan.Blocks;
        }

        long offset = (long)first * blockBytes;
        long length = Math.Min((long)count * blockBytes, Plan.SizeBytes - offset);
        if (_random.OneIn(Plan.UnalignedOneIn))
        {
            // The checker tells the cells of a write apart; a read may begin anywhere.
            var grain = isRead ? 1 : CheckedWrite.CellBytes;
            offset += (long)_random.Below(blockBytes / grain) * grain;
            length = Math.Min((1 + _random.Below(length / grain)) * grain, Plan.SizeBytes - offset);
        }

        // A read is not cut here: it keeps to one part.
        return (offset, (int)(isRead ? Math.Min(length, PartBytes - (offset % PartBytes)) : length));
    }
}
