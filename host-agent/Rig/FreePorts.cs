using System.Net;
using System.Net.Sockets;
using MirrorController.Protocol.Seams;

namespace MirrorController.HostAgent.Rig;

/// <summary>Ports of the loopback that are free now; all are held until all are chosen, so that none is given twice.</summary>
/// <remarks>They lie below the range from which systems take the ports of outgoing connections: one of those must not sit on a board's port at its next start.</remarks>
internal sealed class FreePorts : IDisposable
{
    private const int First = 17_000;
    private const int End = 32_000;
    private const int TriesMax = 200;
    private readonly List<Socket> _held = [];

    /// <summary>Takes a free port.</summary>
    /// <exception cref="IOException">None was found.</exception>
    public int Take()
    {
        for (var i = 0; i < TriesMax; i++)
        {
            var port = Random.Shared.Next(First, End);
            if (TryBind(port) is { } socket)
            {
                _held.Add(socket);
                return port;
            }
        }

        throw new IOException($"No free port was found between {First} and {End} of 127.0.0.1.");
    }

    /// <summary>Tells whether nobody listens on an address now.</summary>
    public static bool IsFree(NodeAddress address)
    {
        if (!IPAddress.TryParse(address.Host, out var ip) || !IPAddress.IsLoopback(ip))
        {
            return true;
        }

        using var socket = TryBind(address.Port);
        return socket is not null;
    }

    /// <inheritdoc/>
    public void Dispose() => _held.ForEach(s => s.Dispose());

    private static Socket? TryBind(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }
}
