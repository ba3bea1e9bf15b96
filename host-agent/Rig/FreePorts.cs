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
    private readonly HashSet<int> _given = [];

    /// <summary>Never gives the port of an address that somebody asked for, free or not.</summary>
    public void Leave(string text)
    {
        if (NodeAddress.TryParse(text, out var address))
        {
            _given.Add(address.Port);
        }
    }

    /// <summary>Takes a free port.</summary>
    /// <exception cref="IOException">None was found.</exception>
    public int Take()
    {
        for (var i = 0; i < TriesMax; i++)
        {
            var port = Random.Shared.Next(First, End);
            if (!_given.Contains(port) && TryBind(port) is { } socket)
            {
                _held.Add(socket);
                _given.Add(port);
                return port;
            }
        }

        throw new IOException($"No free port was found between {First} and {End} of 127.0.0.1.");
    }

    /// <summary>Keeps an address of an earlier start where nobody else has it now, else takes another for it.</summary>
    /// <exception cref="IOException">No other was found.</exception>
    public string KeepOrTake(string text) =>
        NodeAddress.TryParse(text, out var address) && !_given.Contains(address.Port) && IsFree(address) && _given.Add(address.Port)
            ? text
            : new NodeAddress("127.0.0.1", Take()).ToString();

    private static bool IsFree(NodeAddress address)
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
