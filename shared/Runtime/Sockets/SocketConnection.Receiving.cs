using System.Net.Sockets;
using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime;

/// <content>Receiving straight into pooled chunks.</content>
internal sealed partial class SocketConnection
{
    private static string Sentence(SocketError error) => error switch
    {
        SocketError.ConnectionReset => "The connection was reset by the peer.",
        SocketError.TimedOut => "The peer does not answer any more.",
        _ => $"The connection failed: {new SocketException((int)error).Message}.",
    };

    private void ReceiveSome()
    {
        for (var i = 0; i < ReceivesPerTurnMax && _state == State.Open && _receiving; i++)
        {
            var space = ReceiveSpace();
            var n = _loop.Receive(this, space, out var error);
            if (error == SocketError.WouldBlock)
            {
                break;
            }

            if (error != SocketError.Success)
            {
                Fail(Sentence(error));
                return;
            }

            if (n == 0)
            {
                Fail("The peer closed the connection.");
                return;
            }

            _receiveUsed += n;
            _handler!.Received(this, space.Part(0, n));
            if (n < space.Length)
            {
                // Less than there was room for: most likely that was all.
                break;
            }
        }

        if (_receiveChunk is { References: 1 })
        {
            _receiveUsed = 0;
        }
    }

    /// <summary>Gets the free rest of the chunk; a new chunk when somebody holds the old one and little is left of it.</summary>
    private Slice ReceiveSpace()
    {
        if (_receiveChunk is { References: 1 })
        {
            _receiveUsed = 0;
        }
        else if (_receiveChunk is null || Chunk.Size - _receiveUsed < ReceiveSpaceMin)
        {
            _receiveChunk?.Release();
            _receiveChunk = _loop.Pool.RentChunk();
            _receiveUsed = 0;
        }

        return new Slice(_receiveChunk, _receiveUsed, Chunk.Size - _receiveUsed);
    }

    /// <summary>Reads and forgets what the peer has sent, before closing.</summary>
    /// <remarks>Closing over unread data makes the system send a reset, and the peer may lose the last thing it was told.</remarks>
    private void DiscardReceived()
    {
        for (var total = 0; total < DiscardMax;)
        {
            var n = _loop.Receive(this, ReceiveSpace(), out var error);
            if (n <= 0 || error != SocketError.Success)
            {
                return;
            }

            total += n;
        }
    }
}
