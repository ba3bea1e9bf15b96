using System.Net;
using System.Net.Sockets;
using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime;

/// <summary>The loop everywhere else: <c>Socket.Select</c>, with a datagram socket that talks to itself to wake it.</summary>
public sealed class SelectLoop : RuntimeLoop
{
    private const int VectorsMax = 64;

    private readonly Dictionary<Socket, PollSource> _bySocket = [];
    private readonly List<Socket> _read = [];
    private readonly List<Socket> _write = [];
    private readonly List<Socket> _failed = [];
    private readonly List<ArraySegment<byte>> _segments = [];
    private readonly Socket _wake;
    private readonly byte[] _wakeBytes = new byte[16];

    /// <summary>Makes a loop; <see cref="RuntimeLoop.Create"/> chooses for you.</summary>
    public SelectLoop(LoopOptions options)
        : base(options)
    {
        _wake = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        _wake.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _wake.Connect(_wake.LocalEndPoint!);
        _wake.Blocking = false;
    }

    internal override void InterestChanged(PollSource source)
    {
        // The lists are made anew for every wait.
    }

    internal override int Receive(SocketConnection connection, Slice into, out SocketError error) =>
        connection.Socket!.Receive(into.Span, SocketFlags.None, out error);

    internal override int Send(SocketConnection connection, SendQueue queue, out SocketError error)
    {
        _segments.Clear();
        for (var i = 0; i < queue.Count && i < VectorsMax; i++)
        {
            var slice = queue[i];
            _segments.Add(new ArraySegment<byte>(slice.Chunk.Bytes, slice.Offset, slice.Length));
        }

        return connection.Socket!.Send(_segments, SocketFlags.None, out error);
    }

    private protected override void AddSource(PollSource source) => _bySocket.Add(source.Socket!, source);

    private protected override void RemoveSource(PollSource source) => _bySocket.Remove(source.Socket!);

    private protected override bool Poll(int timeoutMs)
    {
        _read.Clear();
        _write.Clear();
        _failed.Clear();
        _read.Add(_wake);
        foreach (var (socket, source) in _bySocket)
        {
            if (source.WantsRead)
            {
                _read.Add(socket);
            }

            if (source.WantsWrite)
            {
                _write.Add(socket);
            }

            _failed.Add(socket);
        }

        Socket.Select(_read, _write, _failed, timeoutMs < 0 ? -1 : (int)Math.Min(timeoutMs * 1000L, int.MaxValue));
        foreach (var socket in _read)
        {
            if (ReferenceEquals(socket, _wake))
            {
                _wake.Receive(_wakeBytes, SocketFlags.None, out _);
                WakeTaken();
            }
            else
            {
                // Whoever was closed by an earlier handler of this poll is not in the table any more.
                _bySocket.GetValueOrDefault(socket)?.Ready(true, false, false);
            }
        }

        foreach (var socket in _write)
        {
            _bySocket.GetValueOrDefault(socket)?.Ready(false, true, false);
        }

        foreach (var socket in _failed)
        {
            _bySocket.GetValueOrDefault(socket)?.Ready(false, false, true);
        }

        return _read.Count + _write.Count + _failed.Count > 0;
    }

    private protected override void SignalWake() => _wake.Send(_wakeBytes.AsSpan(0, 1), SocketFlags.None, out _);

    private protected override void YieldCore() => Thread.Yield();

    private protected override void DisposeBackend() => _wake.Dispose();
}
