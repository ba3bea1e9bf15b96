using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>One end of a simulated stream.</summary>
internal sealed partial class SimConnection : IConnection
{
    private const long DrainMarkBytes = 1024 * 1024;
    private const int ReserveMax = 4096;
    private const int PieceMax = 64 * 1024;

    private readonly SimFabric _fabric;
    private readonly SimRandom _random;
    private readonly Queue<Slice> _queue = new();
    private IConnectionHandler? _handler;
    private SimConnection? _other;
    private State _state = State.Connecting;
    private ILoopTimer? _connectTimer;
    private string _reason = "";
    private bool _flushAsked;
    private bool _tellWhenDrained;

    public SimConnection(SimLoop loop, string peerHost, string peer, IConnectionHandler? handler)
    {
        Loop = loop;
        PeerHost = peerHost;
        Peer = peer;
        _handler = handler;
        _fabric = loop.World.Fabric;
        _random = _fabric.RandomOf(loop.Name, peerHost);
        _fabric.Add(this);
    }

    private enum State
    {
        Connecting,
        Open,
        Closing,
        Closed,
    }

    public SimLoop Loop { get; }

    public string PeerHost { get; }

    public string Peer { get; }

    public bool IsConnecting => _state == State.Connecting && !Loop.IsDead;

    public bool IsOpen => _state == State.Open;

    public long QueuedBytes { get; private set; }

    /// <summary>Gets or sets whether nothing arrives here or leaves here any more, and nobody knows.</summary>
    public bool IsDead { get; set; }

    /// <summary>Gets or sets whether the peer's node, which lost its power silently, runs again: it answers what it does not know with a reset.</summary>
    public bool PeerIsReborn { get; set; }

    /// <summary>Gets or sets whether a bit of the next bytes sent is turned.</summary>
    public bool IsGarbled { get; set; }

    private SimWorld World => Loop.World;

    public static void Accept(SimListener listener, SimConnection client)
    {
        if (!client.IsConnecting)
        {
            return;
        }

        if (listener.IsClosed)
        {
            client.ResetSoon($"Cannot connect to {client.Peer}: Connection refused.");
            return;
        }

        var server = new SimConnection(listener.Loop, client.Loop.Name, client.Loop.Name, null) { _state = State.Open, _other = client };
        client._other = server;
        server.Transmit(new Item(ItemKind.Connected, null));
        server._handler = listener.AcceptHandler(server);
        if (server._state == State.Open)
        {
            server._handler.Connected(server);
        }
    }

    public void BeginConnect(NodeAddress address, long timeoutMs)
    {
        _connectTimer = Loop.StartTimer(timeoutMs, () => End($"{Peer} did not answer within {timeoutMs} ms."));
        _fabric.Knock(this, address);
    }

    public void Send(Slice slice)
    {
        if (_state > State.Open || slice.Length == 0)
        {
            return;
        }

        slice.AddReference();
        Enqueue(slice);
    }

    public Span<byte> Reserve(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, ReserveMax);
        if (_state > State.Open || count == 0)
        {
            return new byte[count];
        }

        var slice = Loop.Pool.Rent(count);
        Enqueue(slice);
        return slice.Span;
    }

    public void SetReceiving(bool receiving)
    {
        _receiving = receiving;
        if (receiving)
        {
            DeliverSoon();
        }
    }

    public void Close(string reason)
    {
        if (_state == State.Connecting)
        {
            End(reason);
        }
        else if (_state == State.Open)
        {
            _reason = reason;
            _state = State.Closing;
            AskForFlush();
        }
    }

    /// <summary>Hands the queue over, as far as the window takes it.</summary>
    public void Flush()
    {
        _flushAsked = false;
        if (_state is not (State.Open or State.Closing))
        {
            return;
        }

        TransmitQueue();
        if (_state == State.Closing)
        {
            Transmit(new Item(ItemKind.Ended, null));
            End(_reason);
        }
        else if (_tellWhenDrained && _queue.Count == 0)
        {
            _tellWhenDrained = false;
            Loop.Post(() =>
            {
                if (_state == State.Open)
                {
                    _handler!.Drained(this);
                }
            });
        }
    }

    /// <summary>Draws how long the next piece is on its way.</summary>
    internal long NextDelay() => _fabric.Delay(_random, Loop.Name, PeerHost);

    /// <summary>The connection breaks after a moment; what is on the way is lost.</summary>
    public void ResetSoon(string reason) => World.ScheduleIn(NextDelay(), () => Loop.Arrive(() => End(reason)));

    /// <summary>This end's node lost its power: the system told the other end, or nobody could.</summary>
    public void OwnerDied(bool silent)
    {
        if (silent)
        {
            IsDead = true;
            if (_other is not null)
            {
                _other.IsDead = true;
            }
        }
        else if (_state is State.Open or State.Closing)
        {
            Transmit(new Item(ItemKind.Ended, null));
        }

        _state = State.Closed;
        _fabric.Remove(this);
        if (_receiveChunk is { } chunk)
        {
            // Not at once: the power may have gone in the middle of a callback that looks at it.
            _receiveChunk = null;
            World.ScheduleIn(0, chunk.Release);
        }
    }

    private void Enqueue(Slice slice)
    {
        _queue.Enqueue(slice);
        QueuedBytes += slice.Length;
        if (QueuedBytes > DrainMarkBytes)
        {
            _tellWhenDrained = true;
        }

        AskForFlush();
    }

    private void AskForFlush()
    {
        if (!_flushAsked && _state is State.Open or State.Closing)
        {
            _flushAsked = true;
            Loop.FlushLater(this);
        }
    }

    private void End(string reason)
    {
        if (_state == State.Closed)
        {
            return;
        }

        _state = State.Closed;
        _connectTimer?.Cancel();
        _fabric.Remove(this);
        while (_queue.TryDequeue(out var slice))
        {
            slice.Release();
        }

        QueuedBytes = 0;
        _inbound.Clear();
        _receiveChunk?.Release();
        _receiveChunk = null;
        Loop.Post(() => _handler!.Closed(this, reason));
    }
}
