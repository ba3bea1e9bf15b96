using System.Globalization;

namespace MirrorController.Protocol.Seams;

/// <summary>An address a node listens on or connects to: a host name or IP address, and a TCP port.</summary>
public readonly record struct NodeAddress(string Host, int Port)
{
    /// <summary>The longest name that the system looks up.</summary>
    private const int HostLengthMax = 255;

    /// <inheritdoc/>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    /// <summary>Gets whether a host can have this address: what is none cannot be connected to, nor put into a URI.</summary>
    public bool IsSound => Host is not null && Port is >= 0 and <= ushort.MaxValue && Host.Length <= HostLengthMax && Uri.CheckHostName(Host) != UriHostNameType.Unknown;

    /// <summary>Reads <c>HOST:PORT</c>, with brackets around an IPv6 address; port 0 lets the system choose.</summary>
    public static bool TryParse(string? text, out NodeAddress address)
    {
        address = default;
        if (string.IsNullOrEmpty(text))
        {
            return false;
        }

        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return false;
        }

        var host = text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']'))
        {
            host = host[1..^1];
        }

        var read = new NodeAddress(host, port);
        address = read.IsSound ? read : default;
        return read.IsSound;
    }
}

/// <summary>Where connections come from.</summary>
public interface INetwork
{
    /// <summary>Listens for connections; <paramref name="accept"/> gives each one its handler.</summary>
    /// <exception cref="System.IO.IOException">The address cannot be listened on; the message is one sentence.</exception>
    IListener Listen(NodeAddress address, Func<IConnection, IConnectionHandler> accept);

    /// <summary>Begins to connect and returns at once.</summary>
    /// <remarks>
    /// Later either <see cref="IConnectionHandler.Connected"/> or <see cref="IConnectionHandler.Closed"/> is called,
    /// the latter also when <paramref name="timeoutMs"/> milliseconds have passed without an answer.
    /// </remarks>
    /// <exception cref="ArgumentException">The address is not <see cref="NodeAddress.IsSound"/>.</exception>
    IConnection Connect(NodeAddress address, IConnectionHandler handler, long timeoutMs);
}

/// <summary>A listening socket.</summary>
public interface IListener
{
    /// <summary>Gets the address in force: with the port that the system chose, if 0 was asked for.</summary>
    NodeAddress Address { get; }

    /// <summary>Stops listening; connections already accepted stay.</summary>
    void Close();
}

/// <summary>One end of a byte stream. All members are for the loop's thread only.</summary>
public interface IConnection
{
    /// <summary>Gets the other end's address, for messages.</summary>
    string Peer { get; }

    /// <summary>Gets whether the connection can still send.</summary>
    bool IsOpen { get; }

    /// <summary>Gets the bytes queued and not yet handed to the system.</summary>
    long QueuedBytes { get; }

    /// <summary>Queues a slice; it is sent at the end of the turn. Nothing is copied.</summary>
    /// <remarks>The connection takes a reference of its own and releases it when the bytes are with the system. On a closed connection nothing happens.</remarks>
    void Send(Slice slice);

    /// <summary>Reserves room for small data (a header) in order with what is queued; fill it before the turn ends.</summary>
    /// <remarks>On a closed connection the span is scratch. <paramref name="count"/> is at most 4096.</remarks>
    Span<byte> Reserve(int count);

    /// <summary>Stops or resumes taking in what the peer sends; while paused the peer's sends fill the system's buffers.</summary>
    void SetReceiving(bool receiving);

    /// <summary>Closes the connection.</summary>
    /// <remarks>
    /// What the current turn queued is still handed to the system as far as it takes it at once. No
    /// <see cref="IConnectionHandler.Received"/> comes after this call; <see cref="IConnectionHandler.Closed"/> comes
    /// once, later, never inside this call.
    /// </remarks>
    void Close(string reason);
}

/// <summary>What a node does with a connection's events.</summary>
public interface IConnectionHandler
{
    /// <summary>The connection stands. For accepted connections it is called before anything else.</summary>
    void Connected(IConnection connection);

    /// <summary>Bytes arrived: any split of the stream, at least one byte.</summary>
    /// <remarks>The slice is lent for the call; who keeps it calls <see cref="Slice.AddReference"/>.</remarks>
    void Received(IConnection connection, Slice slice);

    /// <summary>All that was queued, after more than 1 MiB had been, is with the system.</summary>
    void Drained(IConnection connection);

    /// <summary>The connection ended, or never came to be. Called exactly once, last.</summary>
    void Closed(IConnection connection, string reason);
}
