using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <content>The way between both ends: cut at any byte, delayed, in order.</content>
internal sealed partial class SimConnection
{
    private const int DeliveriesPerTurnMax = 4;
    private const byte Poison = 0xDD;

    private readonly Queue<Item> _onTheWay = new();
    private readonly Queue<Item> _inbound = new();
    private long _lastArrivalMicros;
    private int _heldUp;
    private int _firstSent;
    private long _unread;
    private bool _receiving = true;
    private bool _deliveryAsked;
    private Chunk? _receiveChunk;
    private int _receiveUsed;

    private enum ItemKind
    {
        Connected,
        Data,
        Ended,
    }

    /// <summary>The way is free again: what was held up sets out anew.</summary>
    public void Healed()
    {
        for (; _heldUp > 0; _heldUp--)
        {
            ScheduleArrival();
        }
    }

    private void TransmitQueue()
    {
        // The window counts what the other end has not read: so a slow reader holds up its peer.
        var room = World.Options.NetWindowBytes - _unread;
        var count = (int)Math.Min(QueuedBytes, Math.Max(0, room));
        if (count == 0 || (count < QueuedBytes && count < World.Options.NetWindowBytes / 4))
        {
            // As TCP does it: a little room is not used at once, or all pieces become ever smaller.
            return;
        }

        var bytes = new byte[count];
        for (var filled = 0; filled < count;)
        {
            var first = _queue.Peek();
            var n = Math.Min(first.Length - _firstSent, count - filled);
            first.Span.Slice(_firstSent, n).CopyTo(bytes.AsSpan(filled));
            filled += n;
            _firstSent += n;
            if (_firstSent == first.Length)
            {
                _firstSent = 0;
                _queue.Dequeue().Release();
            }
        }

        if (IsGarbled)
        {
            IsGarbled = false;
            bytes[_random.Below(count)] ^= (byte)(1 << _random.Below(8));
        }

        QueuedBytes -= count;
        _unread += count;
        TransmitPieces(bytes);
    }

    private void TransmitPieces(byte[] bytes)
    {
        var random = _random;
        var cuts = new SortedSet<int> { bytes.Length };
        for (var i = random.Below(World.Options.NetCutsMax + 1); i > 0; i--)
        {
            cuts.Add(1 + random.Below(bytes.Length));
        }

        if (random.OneIn(World.Options.NetByteByByteOneIn))
        {
            for (var i = 1; i < Math.Min(bytes.Length, 64); i++)
            {
                cuts.Add(i);
            }
        }

        var from = 0;
        foreach (var cut in cuts)
        {
            while (from < cut)
            {
                var n = Math.Min(cut - from, PieceMax);
                Transmit(new Item(ItemKind.Data, bytes.AsMemory(from, n)));
                from += n;
            }
        }
    }

    private void Transmit(Item item)
    {
        _onTheWay.Enqueue(item);
        ScheduleArrival();
    }

    private void ScheduleArrival()
    {
        _lastArrivalMicros = Math.Max(_lastArrivalMicros, World.NowMicros + NextDelay());
        World.Schedule(_lastArrivalMicros, ArriveOne);
    }

    private void ArriveOne()
    {
        var other = _other!;
        if (IsDead || other.IsDead)
        {
            if (PeerIsReborn && !_fabric.IsBlocked(Loop.Name, PeerHost) && !_fabric.IsBlocked(PeerHost, Loop.Name))
            {
                PeerIsReborn = false;
                ResetSoon("The connection was reset by the peer.");
            }

            return;
        }

        if (_fabric.IsBlocked(Loop.Name, PeerHost))
        {
            _heldUp++;
            return;
        }

        var item = _onTheWay.Dequeue();
        if (other._state == State.Closed)
        {
            if (_state != State.Closed && item.Kind != ItemKind.Ended)
            {
                // Sending to an end that is gone: the system there answers with a reset.
                ResetSoon("The connection was reset by the peer.");
            }

            return;
        }

        other._inbound.Enqueue(item);
        other.DeliverSoon();
    }

    private void DeliverSoon()
    {
        if (!_deliveryAsked && _inbound.Count > 0 && _state is State.Open or State.Connecting)
        {
            _deliveryAsked = true;
            Loop.Arrive(Deliver);
        }
    }

    private void Deliver()
    {
        _deliveryAsked = false;
        for (var i = 0; i < DeliveriesPerTurnMax && CanDeliver; i++)
        {
            var item = _inbound.Dequeue();
            switch (item.Kind)
            {
                case ItemKind.Connected:
                    _state = State.Open;
                    _connectTimer?.Cancel();
                    if (_queue.Count > 0)
                    {
                        AskForFlush();
                    }

                    _handler!.Connected(this);
                    break;
                case ItemKind.Data:
                    DeliverData(item.Bytes!.Value.Span);
                    break;
                default:
                    End("The peer closed the connection.");
                    break;
            }
        }

        if (CanDeliver)
        {
            DeliverSoon();
        }
    }

    private bool CanDeliver => _inbound.Count > 0 && (_state == State.Connecting || (_state == State.Open && _receiving));

    private void DeliverData(ReadOnlySpan<byte> bytes)
    {
        _other!.Read(bytes.Length);
        if (_receiveChunk is null || _receiveUsed + bytes.Length > Chunk.Size)
        {
            _receiveChunk?.Release();
            _receiveChunk = Loop.Pool.RentChunk();
            _receiveUsed = 0;
        }

        var slice = new Slice(_receiveChunk, _receiveUsed, bytes.Length);
        bytes.CopyTo(slice.Span);
        _receiveUsed += bytes.Length;
        _handler!.Received(this, slice);
        if (_receiveChunk is { References: 1 } chunk)
        {
            // Nobody holds it: as with a real loop the space is used again; poisoned, so that whoever looks is found out.
            chunk.Bytes.AsSpan(0, _receiveUsed).Fill(Poison);
            _receiveUsed = 0;
        }
    }

    private void Read(int count)
    {
        _unread -= count;
        if (_queue.Count > 0)
        {
            AskForFlush();
        }
    }

    private readonly record struct Item(ItemKind Kind, ReadOnlyMemory<byte>? Bytes);
}
