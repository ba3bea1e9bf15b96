using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Unit.Nbd;

/// <summary>A connection whose other end is the test.</summary>
internal sealed class ScriptedConnection : IConnection
{
    private readonly List<byte[]> _pieces = [];
    private long _queued;

    public string Peer => "test";

    public bool IsOpen => CloseReason is null;

    public long QueuedBytes => _queued;

    /// <summary>Gets or sets whether the system takes nothing of what is sent.</summary>
    public bool IsStuck { get; set; }

    public bool IsReceiving { get; private set; } = true;

    public string? CloseReason { get; private set; }

    /// <summary>Gets what was sent so far.</summary>
    public byte[] Sent => _pieces.SelectMany(p => p).ToArray();

    public long SentBytes => _pieces.Sum(p => (long)p.Length);

    public void Send(Slice slice)
    {
        if (IsOpen)
        {
            Add(slice.Span.ToArray());
        }
    }

    public Span<byte> Reserve(int count)
    {
        Assert.InRange(count, 1, 4096);
        var piece = new byte[count];
        if (IsOpen)
        {
            Add(piece);
        }

        return piece;
    }

    public void SetReceiving(bool receiving) => IsReceiving = receiving;

    public void Close(string reason) => CloseReason ??= reason;

    /// <summary>Forgets what was sent.</summary>
    public void Forget() => _pieces.Clear();

    /// <summary>The system takes everything.</summary>
    public void Unstick()
    {
        IsStuck = false;
        _queued = 0;
    }

    private void Add(byte[] piece)
    {
        _pieces.Add(piece);
        _queued += IsStuck ? piece.Length : 0;
    }
}
