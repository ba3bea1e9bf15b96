using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;
using MirrorController.Tests.Harness.Checker;

namespace MirrorController.Tests.Harness.CrashPoints;

/// <summary>What a scenario is told with: requests of an application, and nodes that come and go. The power may go at any moment, and then the story ends.</summary>
public sealed class CrashStory
{
    private const ulong Seed = 1;
    private const int Blocks = 16;
    private const long WaitMaxMs = 120_000;

    // Thousands of worlds one after another: their chunks are used again.
    [ThreadStatic]
    private static BufferPool? _pool;

    private readonly List<(SimRequest Request, string What)> _open = [];
    private readonly HashSet<long> _touched = [];
    private readonly HashSet<long> _inParts = [];
    private readonly CrashCutter _cutter;

    internal CrashStory(CrashScenario scenario)
    {
        Scenario = scenario;
        World = new SimWorld(Seed, new SimOptions { NvmDelayMaxMicros = scenario.IsEeprom ? 2000 : 300 }, _pool ??= new BufferPool());
        Tap = new FrameTap();
        Cluster = new SimCluster(World, scenario.Boards, Blocks * SimCluster.BlockBytes, scenario.Apply, scenario.IsEeprom, scenario.ChipBytes) { Tap = Tap };
        Hosts.Add(new CrashHost(Checker, Cluster.Host));
        Hosts.Add(new CrashHost(Checker, Cluster.AddHost("host-2")));
        Host = Hosts[0];
        Creator = Cluster.AddCreator();
        _cutter = new CrashCutter(this);
    }

    public CrashScenario Scenario { get; }

    public SimWorld World { get; }

    public FrameTap Tap { get; }

    public SimCluster Cluster { get; }

    public List<SimNode> Boards => Cluster.Boards;

    /// <summary>Gets or sets the host that the application's requests go to.</summary>
    public CrashHost Host { get; set; }

    public List<CrashHost> Hosts { get; } = [];

    /// <summary>Gets the node that creates the volume.</summary>
    public SimNode Creator { get; }

    internal CrashCutter Cutter => _cutter;

    internal ConsistencyChecker Checker { get; } = new();

    /// <summary>Gets the sum over what the applications were told so far.</summary>
    internal SimStateHash Told { get; private set; }

    /// <summary>Gets the blocks that may be in flight: written to since all was retired.</summary>
    internal IReadOnlySet<long> Touched => _touched;

    /// <summary>Gets the blocks that were written to in parts: they hold several versions rightly.</summary>
    internal IReadOnlySet<long> InParts => _inParts;

    internal long SizeBytes => Blocks * SimCluster.BlockBytes;

    /// <summary>Gets the requests without an answer, of hosts that live.</summary>
    internal IEnumerable<string> OpenRequests => _open.Where(o => !o.Request.IsDone && !o.Request.Owner!.IsDead).Select(o => o.What);

    /// <summary>Issues a write of whole cells of 64 bytes.</summary>
    public SimRequest Write(long offsetBytes, int lengthBytes, bool fua = false)
    {
        var (host, coordinator) = (Host, Host.Coordinator);
        var write = Checker.Write(host.Session, offsetBytes, lengthBytes, fua);
        for (var block = offsetBytes / SimCluster.BlockBytes; block * SimCluster.BlockBytes < offsetBytes + lengthBytes; block++)
        {
            _touched.Add(block);
            if (offsetBytes % SimCluster.BlockBytes != 0 || lengthBytes % SimCluster.BlockBytes != 0)
            {
                _inParts.Add(block);
            }
        }

        var request = Track(host, $"write {write.Version} of {offsetBytes}+{lengthBytes}{(fua ? ", FUA" : "")}", _ => Checker.Acknowledge(write), () => Checker.Failed(write));
        host.Node.Post(() =>
        {
            var payload = Payload.Take(Slice.Copy(write.MakeData()));
            coordinator.Write(1, offsetBytes, payload, fua, request);
            payload.Release();
        });
        return request;
    }

    /// <summary>Issues a write of whole blocks.</summary>
    public SimRequest WriteBlocks(long block, int count = 1, bool fua = false) =>
        Write(block * SimCluster.BlockBytes, count * SimCluster.BlockBytes, fua);

    /// <summary>Issues a read of whole blocks.</summary>
    public SimRequest ReadBlocks(long block, int count = 1)
    {
        var (host, coordinator) = (Host, Host.Coordinator);
        var (offset, length) = (block * SimCluster.BlockBytes, count * SimCluster.BlockBytes);
        var read = Checker.Read(host.Session, offset, length);
        var request = Track(host, $"read {offset}+{length}", r => Checker.Complete(read, r.Data));
        host.Node.Post(() => coordinator.Read(offset, length, request));
        return request;
    }

    /// <summary>Issues a flush.</summary>
    public SimRequest Flush()
    {
        var (host, coordinator) = (Host, Host.Coordinator);
        var flush = Checker.Flush(host.Session);
        var request = Track(host, "flush", _ => Checker.Complete(flush));
        host.Node.Post(() => coordinator.Flush(request));
        return request;
    }

    /// <summary>Runs until the requests have ended.</summary>
    public void Await(params ReadOnlySpan<SimRequest> requests)
    {
        foreach (var request in requests)
        {
            WaitUntil(() => request.IsDone, "a request to end");
        }
    }

    /// <summary>Runs until something is so.</summary>
    public void WaitUntil(Func<bool> condition, string what)
    {
        var holds = World.TryRunUntil(() => _cutter.IsCut || condition(), WaitMaxMs);
        _cutter.ThrowIfCut();
        if (!holds)
        {
            throw new ConsistencyViolationException($"Rule 9: {what} did not happen within {WaitMaxMs} ms.");
        }
    }

    /// <summary>Lets a time pass.</summary>
    public void RunFor(long ms)
    {
        _ = World.TryRunUntil(() => _cutter.IsCut, ms);
        _cutter.ThrowIfCut();
    }

    /// <summary>Runs until the host serves and all members are equal.</summary>
    public void WaitInSync()
    {
        WaitUntil(() => Host.Coordinator.Phase == CoordinatorPhase.Serving && Host.Coordinator.Describe().State == VolumeState.InSync, "being in sync");
        Host.Look();
    }

    /// <summary>Runs until everything is durable and retired everywhere.</summary>
    public void Settle()
    {
        Await(Flush());
        WaitUntil(() => Enumerable.Range(0, Boards.Count).All(b => Cluster.Board(b).Table!.Table.Count == 0), "the retirement of all entries");
        RunFor(200);
        _touched.Clear();
    }

    /// <summary>Boards start, and the volume is created.</summary>
    public void CreateVolume()
    {
        Creator.Start();
        WaitUntil(() => SimCluster.IsCreated(Creator), "the creation of the volume");
        Creator.PowerCut();
    }

    /// <summary>A host starts; it is the one that requests go to.</summary>
    public void StartHost(int index = 0)
    {
        Host = Hosts[index];
        Host.Start();
    }

    /// <summary>The host loses its power by the story itself.</summary>
    public void CutHost()
    {
        LookAtHosts();
        Host.Node.PowerCut();
    }

    /// <summary>The host ends cleanly, and goes.</summary>
    public void StopHost()
    {
        const long BoundMs = 10_000;
        Host.Stop(BoundMs);
        WaitUntil(() => Host.IsOver, "the end of the host");
        RunFor(5);
        CutHost();
    }

    internal void LookAtHosts() => Hosts.ForEach(h => h.Look());

    private SimRequest Track(CrashHost host, string what, Action<SimRequest> ok, Action? failed = null)
    {
        Tell($"{what} is issued");
        var request = new SimRequest { Owner = host.Node.Loop };
        _open.Add((request, what));
        request.Ended = r =>
        {
            LookAtHosts();
            Tell($"{what} ends: {r.Error}");
            if (r.Error == VolumeError.None)
            {
                ok(r);
            }
            else if (r.Error == VolumeError.Shutdown && host.IsOver)
            {
                failed?.Invoke();
            }
            else
            {
                throw new ConsistencyViolationException($"A {what} ended with {r.Error}, which nothing in the story explains.");
            }
        };
        return request;
    }

    private void Tell(string what)
    {
        World.Note(what);
        var told = Told;
        told.Add(what);
        Told = told;
    }
}
