using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Harness;

/// <summary>One connection to a <see cref="ScriptedBoard"/>: the handshake and the pings are done here.</summary>
internal sealed class ScriptedBoardConnection : IConnectionHandler, IFrameHandler
{
    private readonly ScriptedBoard _board;
    private readonly FrameReader _reader;
    private readonly byte[] _nonce = new byte[Hello.NonceSize];
    private IConnection? _connection;
    private bool _isProven;

    public ScriptedBoardConnection(ScriptedBoard board)
    {
        _board = board;
        _reader = new FrameReader(this);
    }

    public void Send(FrameHeader header, byte[]? body) => _connection!.SendFrame(ref header, body ?? default(ReadOnlySpan<byte>));

    public void SendRaw(byte[] bytes)
    {
        var slice = Slice.Copy(bytes);
        _connection!.Send(slice);
        slice.Release();
    }

    public void Close(string reason)
    {
        _board.Gone(this);
        _connection!.Close(reason);
    }

    public void Connected(IConnection connection) => _connection = connection;

    public void Received(IConnection connection, Slice slice)
    {
        if (_reader.Take(slice) is { } wrong)
        {
            throw new InvalidOperationException($"The coordinator sent what is no frame: {wrong}.");
        }
    }

    public void Drained(IConnection connection)
    {
    }

    public void Closed(IConnection connection, string reason) => _board.Gone(this);

    public void Frame(in FrameHeader header, Payload? payload)
    {
        var body = new byte[payload?.Length ?? 0];
        payload?.CopyTo(0, body);
        switch (header.Command)
        {
            case Command.Ping:
                Send(new FrameHeader { Command = Command.Ping | Command.Reply }, null);
                return;
            case Command.Ping | Command.Reply:
                return;
            case Command.Hello:
                var proof = HelloProof.OfListener(SimCluster.Secret, body, _nonce);
                Send(new FrameHeader { Command = Command.Challenge, BootId = _board.BootId }, [.. _nonce, .. proof]);
                return;
            case Command.Proof:
                _isProven = true;
                Send(new FrameHeader { Command = Command.Welcome, BootId = _board.BootId }, _board.Account ?? _board.Describe().Written.ToArray());
                _board.Let(this);
                return;
        }

        if (!_isProven)
        {
            throw new InvalidOperationException($"The coordinator sent {header.Command} before it had proven the secret.");
        }

        _board.Take(new ScriptedFrame(header, body));
    }
}
