using System.Net.Sockets;
using MirrorController.Protocol;
using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime;

/// <summary>One end of a TCP stream on a loop.</summary>
/// <remarks>Handlers are called while the loop polls (Received, Connected) or from its queue (Drained, Closed), never inside a call of theirs.</remarks>
internal sealed partial class SocketConnection : PollSource, IConnection
{
    /// <summary>More queued than this, and the handler hears when all of it has gone.</summary>
    private const long DrainMarkBytes = 1024 * 1024;
    private const int ReserveMax = 4096;
    private const int ReceivesPerTurnMax = 4;
    private const int ReceiveSpaceMin = 16 * 1024;
    private const int DiscardMax = 1024 * 1024;

    private readonly RuntimeLoop _loop;
    private readonly SendQueue _queue = new();
    private IConnectionHandler? _handler;
    private Socket? _socket;
    private State _state = State.Connecting;
    private Chunk? _receiveChunk;
    private int _receiveUsed;
    private Chunk? _reserveChunk;
    private int _reserveUsed;
    private byte[]? _scratch;
    private bool _receiving = true;
    private bool _blocked;
    private bool _flushAsked;
    private bool _sendBroken;
    private bool _tellWhenDrained;
    private string _reason = "";
    private Action? _drainedAction;

    public SocketConnection(RuntimeLoop loop, string peer, IConnectionHandler? handler)
    {
        _loop = loop;
        _handler = handler;
        Peer = peer;
    }

    private enum State
    {
        /// <summary>Looking up the name, or waiting for the peer's answer.</summary>
        Connecting,

        /// <summary>Both directions work.</summary>
        Open,

        /// <summary>Closed by the node; the end of the turn hands over what is queued.</summary>
        Closing,

        /// <summary>The socket is gone.</summary>
        Closed,
    }

    public string Peer { get; }

    public bool IsOpen => _state == State.Open && !_sendBroken;

    public long QueuedBytes => _queue.Bytes;

    public override Socket? Socket => _socket;

    public override bool WantsRead => _state == State.Open && _receiving;

    public override bool WantsWrite => _state == State.Connecting || (_state == State.Open && _blocked);

    private bool CanQueue => _state <= State.Open && !_sendBroken;

    /// <summary>Takes over an accepted socket.</summary>
    public static void Accept(RuntimeLoop loop, Socket socket, Func<IConnection, IConnectionHandler> accept)
    {
        string peer;
        try
        {
            Prepare(socket);
            peer = socket.RemoteEndPoint?.ToString() ?? "unknown";
        }
        catch (SocketException)
        {
            // It ended before it began.
            socket.Dispose();
            return;
        }

        var connection = new SocketConnection(loop, peer, null);
        connection.Adopt(socket);
        connection._state = State.Open;
        loop.Attach(connection);
        connection._handler = accept(connection);
        if (connection._state == State.Open)
        {
            connection._handler.Connected(connection);
        }
    }

    public override void Ready(bool readable, bool writable, bool failed)
    {
        if (_state == State.Connecting)
        {
            ConnectAnswered();
            return;
        }

        if (writable && _state == State.Open && _blocked)
        {
            _blocked = false;
            _loop.InterestChanged(this);
            AskForFlush();
        }

        // A failed socket is read to its end: what the peer said before it went is often the reason.
        if ((readable || failed) && _state == State.Open)
        {
            if (_receiving)
            {
                ReceiveSome();
            }
            else if (failed)
            {
                Fail("The connection was reset by the peer.");
            }
        }
    }

    public void SetReceiving(bool receiving)
    {
        if (_receiving == receiving)
        {
            return;
        }

        _receiving = receiving;
        if (_state == State.Open)
        {
            _loop.InterestChanged(this);
        }
    }

    public void Close(string reason)
    {
        if (_state >= State.Closing)
        {
            return;
        }

        if (_state == State.Connecting)
        {
            Fail(reason);
            return;
        }

        _reason = reason;
        _state = State.Closing;
        _loop.InterestChanged(this);
        AskForFlush();
    }

    public override void Abandon()
    {
        _state = State.Closed;
        ReleaseAll();
        _socket?.Dispose();
        _socket = null;
    }

    private static void Prepare(Socket socket)
    {
        socket.Blocking = false;
        socket.NoDelay = true;
    }

    private void Adopt(Socket socket)
    {
        _socket = socket;
        Descriptor = (int)socket.Handle;
    }

    /// <summary>Ends the connection now; the handler hears of it from the queue.</summary>
    private void Fail(string reason)
    {
        if (_state == State.Closed)
        {
            return;
        }

        _state = State.Closed;
        _reason = reason;
        _connectTimer?.Cancel();
        if (_socket is not null)
        {
            _loop.Detach(this);
            _socket.Dispose();
            _socket = null;
        }

        ReleaseAll();
        _loop.Post(TellClosed);
    }

    private void TellClosed()
    {
        Invariant.Check(_handler is not null, "an accepted connection has its handler before it can end");
        _handler.Closed(this, _reason);
    }

    private void ReleaseAll()
    {
        _queue.Clear();
        _receiveChunk?.Release();
        _receiveChunk = null;
        _reserveChunk?.Release();
        _reserveChunk = null;
    }
}
