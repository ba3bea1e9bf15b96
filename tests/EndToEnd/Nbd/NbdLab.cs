using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using MirrorController.HostAgent.Nbd;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.EndToEnd.Nbd;

/// <summary>An NBD server over volumes in memory, on a real loop and a real port.</summary>
internal sealed class NbdLab : IDisposable
{
    private const int StopMaxMs = 30_000;
    private readonly RuntimeLoop _loop;
    private readonly Thread _thread;
    private readonly NbdServer _server;
    private readonly WarningsLog _log = new();
    private Exception? _fatal;

    public NbdLab(long sizeBytes = 64 << 20, LoopBackend backend = LoopBackend.Automatic, params string[] moreVolumes)
    {
        _loop = RuntimeLoop.Create(new LoopOptions { Backend = backend, SpinMicros = 0, OnFatal = e => _fatal = e });
        _server = new NbdServer(_loop, _loop, _log);
        foreach (var name in moreVolumes.Prepend("tank"))
        {
            _server.Export(new MemoryVolume(_loop, name, sizeBytes));
        }

        Address = _server.Listen(new NodeAddress("127.0.0.1", 0));
        _thread = _loop.StartThread("nbd lab");
    }

    /// <summary>Gets where the server listens.</summary>
    public NodeAddress Address { get; }

    /// <summary>Gets the address of the first volume.</summary>
    public string Uri => $"nbd://{Address}/tank";

    /// <summary>Gets the sentences of the log that warn.</summary>
    public IReadOnlyCollection<string> Warnings => _log.Sentences;

    /// <summary>Stops the server, and waits until every client has been sent away.</summary>
    public void Stop()
    {
        using var stopped = new ManualResetEventSlim();
        _loop.Post(() => _server.Stop(stopped.Set));
        Assert.True(stopped.Wait(StopMaxMs) || _fatal is not null, "The server did not stop in time.");
    }

    public void Dispose()
    {
        if (_fatal is null && !_server.IsStopping)
        {
            Stop();
        }

        _loop.Stop();
        _thread.Join();
        _loop.Dispose();
        if (_fatal is { } fatal)
        {
            ExceptionDispatchInfo.Throw(fatal);
        }
    }

    private sealed class WarningsLog : INodeLog
    {
        public ConcurrentQueue<string> Sentences { get; } = new();

        public void Write(NodeLogLevel level, string sentence)
        {
            if (level >= NodeLogLevel.Warning)
            {
                Sentences.Enqueue(sentence);
            }
        }
    }
}
