using System.Net.Sockets;
using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime;

/// <content>Queueing, and one vectored send at the end of the turn.</content>
internal sealed partial class SocketConnection
{
    public void Send(Slice slice)
    {
        if (!CanQueue)
        {
            return;
        }

        _queue.Add(slice);
        Queued();
    }

    public Span<byte> Reserve(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, ReserveMax);
        if (!CanQueue)
        {
            return (_scratch ??= new byte[ReserveMax]).AsSpan(0, count);
        }

        if (_reserveChunk is { References: 1 })
        {
            _reserveUsed = 0;
        }
        else if (_reserveChunk is null || _reserveUsed + count > Chunk.Size)
        {
            _reserveChunk?.Release();
            _reserveChunk = _loop.Pool.RentChunk();
            _reserveUsed = 0;
        }

        var slice = new Slice(_reserveChunk, _reserveUsed, count);
        _reserveUsed += count;
        _queue.Add(slice);
        Queued();
        return slice.Span;
    }

    /// <summary>Hands the queue to the system; called by the loop at the end of the turn.</summary>
    public void Flush()
    {
        _flushAsked = false;
        if (_state is not (State.Open or State.Closing))
        {
            return;
        }

        while (_queue.Count > 0)
        {
            var n = _loop.Send(this, _queue, out var error);
            if (error == SocketError.WouldBlock)
            {
                Block();
                break;
            }

            if (error != SocketError.Success)
            {
                SendFailed(error);
                break;
            }

            _queue.Consume(n);
        }

        if (_state == State.Closing)
        {
            FinishClose();
        }
        else if (_tellWhenDrained && _queue.Count == 0 && !_sendBroken)
        {
            _tellWhenDrained = false;
            _loop.Post(_drainedAction ??= TellDrained);
        }
    }

    private void Queued()
    {
        if (_queue.Bytes > DrainMarkBytes)
        {
            _tellWhenDrained = true;
        }

        if (!_blocked)
        {
            AskForFlush();
        }
    }

    private void AskForFlush()
    {
        if (!_flushAsked && _state != State.Connecting)
        {
            _flushAsked = true;
            _loop.FlushLater(this);
        }
    }

    private void Block()
    {
        if (!_blocked)
        {
            _blocked = true;
            _loop.InterestChanged(this);
        }
    }

    private void SendFailed(SocketError error)
    {
        if (_state == State.Closing)
        {
            return;
        }

        if (!_receiving)
        {
            Fail(Sentence(error));
            return;
        }

        // The peer may have said why before it went: the connection ends when that has been read.
        _sendBroken = true;
        _queue.Clear();
    }

    private void FinishClose()
    {
        try
        {
            _socket!.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The peer has gone already; closing is all that is left.
        }

        DiscardReceived();
        Fail(_reason);
    }

    private void TellDrained()
    {
        if (_state == State.Open)
        {
            _handler!.Drained(this);
        }
    }
}
