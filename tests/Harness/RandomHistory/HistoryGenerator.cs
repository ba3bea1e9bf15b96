using MirrorController.Protocol.Seams;
using MirrorController.Tests.Harness.Checker;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>An application of a random history: reads, writes and flushes, several in flight, for one life of its host.</summary>
internal sealed class HistoryGenerator
{
    private readonly RandomHistory _history;
    private readonly HistoryHost _host;
    private readonly SimLoop _loop;
    private readonly CheckedSession _session;
    private readonly SimRandom _random;
    private readonly int _number;
    private int _inFlight;

    public HistoryGenerator(RandomHistory history, HistoryHost host, int number)
    {
        _history = history;
        _host = host;
        _loop = host.Node.Loop!;
        _session = host.Session;
        _number = number;
        _random = history.World.Random.Fork();
    }

    private HistoryPlan Plan => _history.Plan;

    private ConsistencyChecker Checker => _history.Checker;

    public void Start() => _history.World.ScheduleIn(_random.Between(0, Plan.PauseMaxMicros), Next);

    private void Next()
    {
        if (_loop.IsDead || _history.IsEnding)
        {
            return;
        }

        if (_inFlight < Plan.DepthMax && _host.Coordinator.SizeBytes > 0)
        {
            Issue();
        }

        Start();
    }

    private void Issue()
    {
        _inFlight++;
        var coordinator = _host.Coordinator;
        if (_random.OneIn(Plan.FlushOneIn))
        {
            var flush = Checker.Flush(_session);
            _loop.Post(() => coordinator.Flush(Track("flush", ok: _ => _history.Flushed(flush))));
            return;
        }

        var isRead = _random.Below(100) < Plan.ReadShare;
        var (offset, length) = DrawRange(isRead);
        if (isRead)
        {
            var read = Checker.Read(_session, offset, length);
            _loop.Post(() => coordinator.Read(offset, length, Track($"read {offset}+{length}", ok: r => Checker.Complete(read, r.Data))));
            return;
        }

        var write = Checker.Write(_session, offset, length, _random.OneIn(Plan.FuaOneIn));
        _history.Issued(write);
        _loop.Post(() =>
        {
            var payload = Payload.Take(Slice.Copy(write.MakeData()));
            coordinator.Write(_number, offset, payload, write.Fua, Track(
                $"write {offset}+{length}",
                ok: _ =>
                {
                    Checker.Acknowledge(write);
                    _history.Ended(write);
                },
                failed: () => Checker.Failed(write)));
            payload.Release();
        });
    }

    private SimRequest Track(string what, Action<SimRequest> ok, Action? failed = null)
    {
        var request = new SimRequest { Owner = _loop };
        _history.Open(request, what);
        request.Ended = r =>
        {
            _inFlight--;
            _history.Closed(r);
            _history.LookAtHosts();
            switch (r.Error)
            {
                case VolumeError.None:
                    ok(r);
                    break;
                case VolumeError.Shutdown when _host.IsFenced:
                case VolumeError.Io when Plan.ReadsFail && what[0] != 'f':
                    // All boards failed to read it, or to read the edges of a write that is not aligned.
                    failed?.Invoke();
                    break;
                default:
                    throw new ConsistencyViolationException($"A {what} ended with {r.Error}, which no fault of this history explains.");
            }
        };
        return request;
    }

    private (long OffsetBytes, int LengthBytes) DrawRange(bool isRead)
    {
        const int BlockBytes = SimCluster.BlockBytes;
        const int RequestMax = 256 * 1024;
        var large = _random.OneIn(Plan.LargeOneIn);
        var count = 1 + _random.Below(large ? RequestMax / BlockBytes : 4);
        var first = _random.Below(_random.OneIn(8) ? Plan.Blocks : Plan.HotBlocks);
        long offset = (long)first * BlockBytes;
        long length = Math.Min((long)count * BlockBytes, Plan.SizeBytes - offset);
        if (_random.OneIn(Plan.UnalignedOneIn))
        {
            // The checker tells the cells of a write apart; a read may begin anywhere.
            var grain = isRead ? 1 : CheckedWrite.CellBytes;
            offset += (long)_random.Below(BlockBytes / grain) * grain;
            length = Math.Min((1 + _random.Below(length / grain)) * grain, Plan.SizeBytes - offset);
        }

        // A request never crosses a boundary of 256 KiB: whoever has a longer one cuts it there.
        length = Math.Min(length, RequestMax - (offset % RequestMax));
        return (offset, (int)length);
    }
}
