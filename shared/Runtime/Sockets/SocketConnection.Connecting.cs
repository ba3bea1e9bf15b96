using System.Net;
using System.Net.Sockets;
using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime;

/// <content>Connecting: look up the name off the loop, then try its addresses one after another.</content>
internal sealed partial class SocketConnection
{
    private IPAddress[] _addresses = [];
    private int _nextAddress;
    private int _port;
    private ILoopTimer? _connectTimer;
    private string _lastFailure = "no address was found for it";

    public void BeginConnect(NodeAddress address, long timeoutMs)
    {
        _port = address.Port;
        _connectTimer = _loop.StartTimer(timeoutMs, () => Fail($"{Peer} did not answer within {timeoutMs} ms."));
        if (IPAddress.TryParse(address.Host, out var ip))
        {
            _addresses = [ip];
            TryNextAddress();
            return;
        }

        _ = Dns.GetHostAddressesAsync(address.Host).ContinueWith(
            lookup => _loop.Post(() => LookedUp(lookup)),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private void LookedUp(Task<IPAddress[]> lookup)
    {
        if (_state != State.Connecting)
        {
            return;
        }

        if (lookup.IsCompletedSuccessfully)
        {
            _addresses = lookup.Result;
        }
        else
        {
            _lastFailure = lookup.Exception?.GetBaseException().Message ?? _lastFailure;
        }

        TryNextAddress();
    }

    private void TryNextAddress()
    {
        while (_nextAddress < _addresses.Length)
        {
            var ip = _addresses[_nextAddress++];
            Socket? socket = null;
            try
            {
                socket = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                Prepare(socket);
                socket.Connect(new IPEndPoint(ip, _port));
            }
            catch (SocketException e) when (socket is not null && e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
                // The usual case: the answer makes the socket writable.
            }
            catch (SocketException e)
            {
                socket?.Dispose();
                _lastFailure = e.Message;
                continue;
            }

            Adopt(socket);
            _loop.Attach(this);
            return;
        }

        Fail($"Cannot connect to {Peer}: {_lastFailure}.");
    }

    private void ConnectAnswered()
    {
        var error = (SocketError)(int)_socket!.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
        if (error != SocketError.Success)
        {
            _lastFailure = new SocketException((int)error).Message;
            _loop.Detach(this);
            _socket.Dispose();
            _socket = null;
            TryNextAddress();
            return;
        }

        _state = State.Open;
        _connectTimer?.Cancel();
        _loop.InterestChanged(this);
        if (_queue.Count > 0)
        {
            AskForFlush();
        }

        _handler!.Connected(this);
    }
}
