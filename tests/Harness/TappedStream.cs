using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Harness;

/// <summary>What one end of a connection receives, frame by frame, through a tap.</summary>
internal sealed class TappedStream : IConnectionHandler, IFrameHandler
{
    private readonly FrameTap _tap;
    private readonly SimNodeContext _context;
    private readonly IConnectionHandler _handler;
    private readonly FrameReader _reader;
    private readonly Queue<(TappedFrame Frame, byte[] Bytes)> _held = new();
    private IConnection? _connection;

    public TappedStream(FrameTap tap, SimNodeContext context, IConnectionHandler handler)
    {
        _tap = tap;
        _context = context;
        _handler = handler;
        _reader = new FrameReader(this);
    }

    public bool IsHolding => _held.Count > 0;

    public void Connected(IConnection connection)
    {
        _connection = connection;
        _handler.Connected(connection);
    }

    public void Received(IConnection connection, Slice slice)
    {
        _connection = connection;
        if (_reader.Take(slice) is { } wrong)
        {
            throw new InvalidOperationException($"{_context.Node.Name} received a broken frame: {wrong}.");
        }
    }

    public void Drained(IConnection connection) => _handler.Drained(connection);

    public void Closed(IConnection connection, string reason)
    {
        End();
        _handler.Closed(connection, reason);
    }

    public void Frame(in FrameHeader header, Payload? payload)
    {
        var bytes = new byte[FrameHeader.Size + (payload?.Length ?? 0)];
        header.WriteTo(bytes);
        payload?.CopyTo(0, bytes.AsSpan(FrameHeader.Size));
        var peer = _connection!.Peer;
        var colon = peer.IndexOf(':', StringComparison.Ordinal);
        var frame = new TappedFrame(colon < 0 ? peer : peer[..colon], _context.Node.Name, header, _context.Loop.NowMicros);
        if ((IsHolding && !_tap.IsOvertaken) || _tap.Holds?.Invoke(frame) == true)
        {
            _held.Enqueue((frame, bytes));
            return;
        }

        Deliver(frame, bytes);
    }

    public void Release()
    {
        if (_held.Count > 0)
        {
            _context.Loop.Post(() =>
            {
                while (_held.TryDequeue(out var held))
                {
                    Deliver(held.Frame, held.Bytes);
                }
            });
        }
    }

    private void Deliver(TappedFrame frame, byte[] bytes)
    {
        if ((frame.Header.Command & ~Command.Reply) >= Command.Survey)
        {
            _tap.Frames.Add(frame);
        }

        if (frame.Header.Command is not (Command.Ping or (Command.Ping | Command.Reply)))
        {
            _context.Node.World.StepTaken?.Invoke(new SimStep(SimStepKind.FrameArrives, frame.To, frame.From, frame.Header.Command.ToString(), frame.Header.Command < Command.Survey));
        }

        _tap.Arrives?.Invoke(frame);
        if (_context.Loop.IsDead || _connection is not { IsOpen: true } connection)
        {
            return;
        }

        // Most frames are small: a pinned array for each would be most of a simulation's time.
        var slice = bytes.Length <= Chunk.Size ? _context.Pool.Rent(bytes.Length) : Slice.Copy(bytes);
        bytes.CopyTo(slice.Span);
        _handler.Received(connection, slice);
        slice.Release();
    }

    private void End()
    {
        _reader.Stop();
        _held.Clear();
        _tap.Close(this);
    }
}
