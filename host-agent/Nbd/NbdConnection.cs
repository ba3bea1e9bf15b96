using MirrorController.Protocol.Seams;

namespace MirrorController.HostAgent.Nbd;

/// <summary>One client's connection: handshake, then transmission, then its end.</summary>
/// <remarks>
/// It is here that the stream stops: what a phase does not take is held, and nothing more is received until the phase
/// has room again. It ends in one of four ways: the client has gone; it said that it leaves, or the server stops (what is
/// outstanding is answered first); it broke the protocol (at once, with a sentence in the log).
/// </remarks>
internal sealed class NbdConnection(ILoop loop, INodeLog log, NbdExports exports, Action<NbdConnection> gone) : IConnectionHandler
{
    private readonly Queue<Slice> _held = new();
    private int _heldUsed;
    private bool _isPaused;
    private bool _isLeaving;
    private bool _isClosed;
    private string _leavingReason = "";
    private long _lingerUntilMicros;
    private IConnection? _connection;
    private ILoopTimer? _timer;
    private NbdNegotiation? _negotiation;
    private NbdTransmission? _transmission;

    /// <inheritdoc/>
    public void Connected(IConnection connection)
    {
        _connection = connection;
        _negotiation = new NbdNegotiation(exports, connection);
        _timer = loop.StartTimer(NbdConstants.HandshakeMaxMs, () => Break("it has not chosen an export in time"));
        NbdOptionReplies.SendGreeting(connection);
    }

    /// <inheritdoc/>
    public void Received(IConnection connection, Slice slice)
    {
        if (_isLeaving || _isClosed)
        {
            return;
        }

        if (_isPaused)
        {
            slice.AddReference();
            _held.Enqueue(slice);
            return;
        }

        var used = Take(slice);
        if (_transmission is { IsWaiting: true } && !_isLeaving)
        {
            Pause(used == slice.Length ? null : slice, used);
        }
    }

    /// <inheritdoc/>
    public void Drained(IConnection connection) => Progressed();

    /// <inheritdoc/>
    public void Closed(IConnection connection, string reason)
    {
        _isClosed = true;
        _timer?.Cancel();
        ReleaseHeld();
        _transmission?.Gone();
        log.Debug($"The NBD client {connection.Peer} has gone: {reason}.");
        gone(this);
    }

    /// <summary>Takes in nothing more, answers what is outstanding, then closes.</summary>
    public void Leave(string reason)
    {
        if (_isLeaving || _isClosed || _connection is null)
        {
            return;
        }

        _isLeaving = true;
        _leavingReason = reason;
        _timer?.Cancel();
        _timer = null;
        _connection.SetReceiving(false);
        ReleaseHeld();
        _transmission?.End();
        Progressed();
    }

    /// <summary>Closes at once.</summary>
    public void Abort(string reason)
    {
        if (!_isClosed)
        {
            _isLeaving = true;
            _leavingReason = reason;
            _connection?.Close(reason);
        }
    }

    private int Take(Slice slice)
    {
        var used = 0;
        if (_transmission is null)
        {
            used = Negotiate(slice);
            if (_transmission is null)
            {
                return used;
            }
        }

        used += _transmission.Take(slice.Part(used, slice.Length - used));
        if (_transmission.Fault is { } fault)
        {
            Break(fault);
        }
        else if (_transmission.IsEnded)
        {
            Leave("it took its leave");
        }

        return used;
    }

    private int Negotiate(Slice slice)
    {
        var used = _negotiation!.Take(slice.Span);
        if (_negotiation.Fault is { } fault)
        {
            Break(fault);
        }
        else if (_negotiation.IsAborted)
        {
            Leave("it took its leave without choosing an export");
        }
        else if (_negotiation.Chosen is { } volume)
        {
            _timer?.Cancel();
            _timer = null;
            _negotiation = null;
            _transmission = new NbdTransmission(_connection!, volume, Progressed);
            log.Debug($"The NBD client {_connection!.Peer} has opened volume {volume.Name}.");
        }

        return used;
    }

    private void Pause(Slice? rest, int used)
    {
        if (rest is { } slice)
        {
            slice.AddReference();
            _held.Enqueue(slice);
            _heldUsed = used;
        }

        _isPaused = true;
        _connection!.SetReceiving(false);
    }

    private void Progressed()
    {
        if (_isClosed)
        {
            return;
        }

        if (_isLeaving)
        {
            CloseIfAnswered();
        }
        else if (_isPaused)
        {
            Resume();
        }
    }

    private void Resume()
    {
        // First the request that waits: its header may have been the last that was received.
        Take(default);
        while (!_isLeaving && !_transmission!.IsWaiting && _held.TryPeek(out var slice))
        {
            _heldUsed += Take(slice.Part(_heldUsed, slice.Length - _heldUsed));
            if (!_isLeaving && _heldUsed == slice.Length)
            {
                _held.Dequeue().Release();
                _heldUsed = 0;
            }
        }

        if (!_isLeaving && !_transmission!.IsWaiting)
        {
            _isPaused = false;
            _connection!.SetReceiving(true);
        }
    }

    private void CloseIfAnswered()
    {
        if (_transmission is { Outstanding: > 0 } || _timer is not null)
        {
            return;
        }

        if (_connection!.QueuedBytes == 0)
        {
            _connection.Close(_leavingReason);
            return;
        }

        // Closing now would drop replies that the system does not take at once. The system says when a long queue is
        // empty, but not a short one: so look again, for a while.
        _lingerUntilMicros = _lingerUntilMicros == 0 ? loop.NowMicros + (NbdConstants.LingerMaxMs * 1000) : _lingerUntilMicros;
        if (loop.NowMicros >= _lingerUntilMicros)
        {
            log.Warning($"The NBD client {_connection.Peer} did not take its last replies.");
            _connection.Close(_leavingReason);
            return;
        }

        _timer = loop.StartTimer(NbdConstants.LingerStepMs, Lingered);
    }

    private void Lingered()
    {
        _timer = null;
        if (!_isClosed)
        {
            CloseIfAnswered();
        }
    }

    private void Break(string fault)
    {
        if (_isClosed)
        {
            return;
        }

        log.Warning($"The NBD client {_connection!.Peer} is disconnected: {fault}.");
        Abort(fault);
    }

    private void ReleaseHeld()
    {
        while (_held.TryDequeue(out var slice))
        {
            slice.Release();
        }

        _heldUsed = 0;
    }
}
