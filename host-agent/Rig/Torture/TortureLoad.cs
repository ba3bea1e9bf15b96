using System.Numerics;
using MirrorController.HostAgent.Control;
using MirrorController.HostAgent.Nbd;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

namespace MirrorController.HostAgent.Rig.Torture;

/// <summary>The application under torture: random overlapping writes, reads, flushes and FUA, and the checker of all answers.</summary>
/// <remarks>Everything but the constructor and the methods that return tasks belongs to the loop's thread.</remarks>
internal sealed class TortureLoad : INbdClientOwner, IDisposable
{
    private const int RequestSectorsMax = Chunk.Size / SectorPattern.SectorBytes;
    private const int SweepDepth = 8;
    private const long ConnectMaxMs = 1_000;
    private const long ReconnectMs = 10;

    // Half of the requests meet in a small part of the volume, so that many of them overlap.
    private const int HotSectors = 2048;

    private readonly RuntimeLoop _loop;
    private readonly Thread _thread;
    private readonly NodeAddress _address;
    private readonly string _export;
    private readonly long _sectors;
    private readonly Random _random;
    private readonly TaskCompletionSource<TortureFault> _fault = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NbdClient? _client;
    private TaskCompletionSource? _idle;
    private int _depth;
    private int _power;
    private int _powerAtConnect;
    private long _sweepNext = -1;

    /// <summary>Makes the load; it connects at once and is idle.</summary>
    public TortureLoad(NodeAddress address, string export, long sizeBytes, int seed)
    {
        _address = address;
        _export = export;
        _sectors = sizeBytes / SectorPattern.SectorBytes;
        _random = new Random(seed ^ 0x10AD);
        Checker = new SectorChecker(seed, sizeBytes);
        // The rig's own processes need the cores more than a spinning client does.
        _loop = RuntimeLoop.Create(new LoopOptions { SpinMicros = 0, OnFatal = e => Fail($"The load failed: {e}") });
        _loop.Post(Connect);
        _thread = _loop.StartThread("torture");
    }

    /// <summary>Gets the checker; only to be looked at while the load is idle.</summary>
    public SectorChecker Checker { get; }

    /// <summary>Gets the task that completes with the first fault.</summary>
    public Task<TortureFault> Fault => _fault.Task;

    /// <summary>Keeps so many requests in flight from now on.</summary>
    public void Run(int depth) => _loop.Post(() =>
    {
        _depth = depth;
        Fill();
    });

    /// <summary>Issues nothing more and waits until everything is answered.</summary>
    public Task PauseAsync() => WhenIdle(() => _depth = 0);

    /// <summary>Reads the whole volume and judges it; the load is idle.</summary>
    public Task SweepAsync() => WhenIdle(() => _sweepNext = 0);

    /// <summary>The host's power is about to be cut, or has just been cut: connections that stand end for that reason.</summary>
    public Task HostPowerCutAsync() => _loop.AskAsync(() => Task.FromResult(++_power));

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop.Stop();
        _thread.Join();
        _loop.Dispose();
    }

    /// <inheritdoc/>
    public void Ready(NbdClient client) => Fill();

    /// <inheritdoc/>
    public void Answered(NbdCall call, NbdError error)
    {
        if (error != NbdError.None)
        {
            Fail($"A {call.Command} of {call.LengthBytes} bytes at sector {call.FirstSector} was answered with error {(uint)error} ({error}); a power cut only slows down.");
            return;
        }

        switch (call.Command)
        {
            case NbdCommand.Write:
                Checker.EndWrite(call.Write!);
                break;
            case NbdCommand.Flush:
                Checker.EndFlush(call.Issued);
                break;
            default:
                if (Checker.EndRead(call.Issued, call.FirstSector, call.Data) is { } fault)
                {
                    Fail(fault);
                    return;
                }

                break;
        }

        Fill();
    }

    /// <inheritdoc/>
    public void Broken(string sentence) => Fail(sentence);

    /// <inheritdoc/>
    public void Closed(NbdClient client, bool wasReady, string reason)
    {
        if (wasReady && _powerAtConnect == _power)
        {
            Fail($"The agent closed the connection though its power was on: {reason}.");
        }

        if (wasReady)
        {
            Checker.EndLife();
            // What a sweep had read is read again: the next host's data counts.
            _sweepNext = _sweepNext < 0 ? -1 : 0;
        }

        _loop.StartTimer(ReconnectMs, Connect);
    }

    private Task WhenIdle(Action begin)
    {
        var idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _loop.Post(() =>
        {
            begin();
            _idle = idle;
            Fill();
        });
        return idle.Task;
    }

    private void Connect()
    {
        _powerAtConnect = _power;
        _client = new NbdClient(_loop, _address, _export, ConnectMaxMs, this);
    }

    private void Fill()
    {
        if (_client is not { IsReady: true } client || _fault.Task.IsCompleted)
        {
            return;
        }

        while (_sweepNext >= 0 && _sweepNext < _sectors && client.InFlight < SweepDepth)
        {
            var sectors = (int)Math.Min(RequestSectorsMax, _sectors - _sweepNext);
            Read(client, _sweepNext, sectors);
            _sweepNext += sectors;
        }

        while (client.InFlight < _depth)
        {
            Issue(client);
        }

        if (_depth == 0 && client.InFlight == 0 && _idle is { } idle)
        {
            _idle = null;
            _sweepNext = -1;
            idle.SetResult();
        }
    }

    private void Issue(NbdClient client)
    {
        var (first, sectors) = Place();
        switch (_random.Next(100))
        {
            case < 60:
                Write(client, first, sectors, fua: false);
                break;
            case < 70:
                Write(client, first, sectors, fua: true);
                break;
            case < 96:
                Read(client, first, sectors);
                break;
            default:
                client.Send(new NbdCall { Command = NbdCommand.Flush, Issued = Checker.BeginFlush() }, fua: false, data: null);
                break;
        }
    }

    /// <summary>Draws a range: small ones more often than big ones, half of them on whole blocks.</summary>
    private (long First, int Sectors) Place()
    {
        const int blockSectors = RigOptions.BlockBytes / SectorPattern.SectorBytes;
        var big = 1 << _random.Next(BitOperations.Log2(RequestSectorsMax) + 1);
        var sectors = _random.Next(Math.Max(1, big / 2), big + 1);
        var limit = _random.Next(2) == 0 ? Math.Min(HotSectors, _sectors) : _sectors;
        var first = _random.NextInt64(limit);
        if (_random.Next(2) == 0)
        {
            first -= first % blockSectors;
            sectors = Math.Max(blockSectors, sectors - (sectors % blockSectors));
        }

        return (Math.Min(first, _sectors - sectors), sectors);
    }

    private void Write(NbdClient client, long first, int sectors, bool fua)
    {
        var write = Checker.BeginWrite(first, sectors, fua);
        var slice = _loop.Pool.Rent(sectors * SectorPattern.SectorBytes);
        Checker.Fill(write, slice.Span);
        var call = new NbdCall { Command = NbdCommand.Write, Issued = write.Issued, FirstSector = first, LengthBytes = slice.Length, Write = write };
        client.Send(call, fua, slice);
        slice.Release();
    }

    private void Read(NbdClient client, long first, int sectors)
    {
        var length = sectors * SectorPattern.SectorBytes;
        var call = new NbdCall { Command = NbdCommand.Read, Issued = Checker.BeginRead(), FirstSector = first, LengthBytes = length, Data = new byte[length] };
        client.Send(call, fua: false, data: null);
    }

    private void Fail(string sentence) => Fail(new TortureFault(sentence));

    private void Fail(TortureFault fault) => _fault.TrySetResult(fault);
}
