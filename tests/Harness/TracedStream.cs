using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Harness;

/// <summary>What one end of a connection receives, noted frame by frame on its way to the handler.</summary>
internal sealed class TracedStream : IConnectionHandler, IFrameHandler
{
    private readonly SimNodeContext _context;
    private readonly IConnectionHandler _handler;
    private readonly FrameReader _reader;
    private string _peer = string.Empty;

    public TracedStream(SimNodeContext context, IConnectionHandler handler)
    {
        _context = context;
        _handler = handler;
        _reader = new FrameReader(this);
    }

    public void Connected(IConnection connection) => _handler.Connected(connection);

    public void Received(IConnection connection, Slice slice)
    {
        _peer = connection.Peer;
        var copy = Slice.Copy(slice.Span);
        _reader.Take(copy);
        copy.Release();
        _handler.Received(connection, slice);
    }

    public void Drained(IConnection connection) => _handler.Drained(connection);

    public void Closed(IConnection connection, string reason)
    {
        _reader.Stop();
        _context.Node.World.Note($"{_context.Node.Name}: the connection with {connection.Peer} is closed: {reason}");
        _handler.Closed(connection, reason);
    }

    public void Frame(in FrameHeader header, Payload? payload)
    {
        var command = header.Command & ~Command.Reply;
        if (command == Command.Ping)
        {
            return;
        }

        var isReply = (header.Command & Command.Reply) != 0;
        var status = isReply ? $" {header.Status}" : string.Empty;
        var flags = header.Flags == FrameFlags.None ? string.Empty : $" {header.Flags}";
        _context.Node.World.Note(
            $"{_context.Node.Name} <- {_peer}: {command}{(isReply ? " answered" : string.Empty)}{status}, session {header.Session}, tag {header.Tag:x}, "
            + $"address {header.Address}, count {header.Count}, token {header.Token}{flags}, {payload?.Length ?? 0} bytes");
    }
}
