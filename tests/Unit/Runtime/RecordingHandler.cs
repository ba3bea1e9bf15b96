using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Unit.Runtime;

/// <summary>A handler that keeps what happened, and does what a test gives it.</summary>
public sealed class RecordingHandler : IConnectionHandler
{
    public List<string> Events { get; } = [];

    public List<byte> Bytes { get; } = [];

    public IConnection? Connection { get; private set; }

    public bool IsConnected { get; private set; }

    public int DrainedCount { get; private set; }

    public int ClosedCount { get; private set; }

    public string? Reason { get; private set; }

    public Action<IConnection>? OnConnected { get; set; }

    public Action<IConnection, Slice>? OnReceived { get; set; }

    public Action<IConnection>? OnDrained { get; set; }

    public Action<IConnection>? OnClosed { get; set; }

    public void Connected(IConnection connection)
    {
        Note("connected");
        Connection = connection;
        IsConnected = true;
        OnConnected?.Invoke(connection);
    }

    public void Received(IConnection connection, Slice slice)
    {
        Note("received");
        Assert.True(slice.Length > 0);
        Bytes.AddRange(slice.Span);
        OnReceived?.Invoke(connection, slice);
    }

    public void Drained(IConnection connection)
    {
        Note("drained");
        DrainedCount++;
        OnDrained?.Invoke(connection);
    }

    public void Closed(IConnection connection, string reason)
    {
        Assert.False(string.IsNullOrWhiteSpace(reason));
        Note("closed");
        ClosedCount++;
        Reason = reason;
        OnClosed?.Invoke(connection);
    }

    private void Note(string what)
    {
        Assert.Equal(0, ClosedCount);
        Events.Add(what);
    }
}
