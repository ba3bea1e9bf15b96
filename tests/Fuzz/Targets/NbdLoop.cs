using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>A loop, a network and a connection whose other end is the input; what is sent is counted and dropped.</summary>
internal sealed class NbdLoop : ILoop, INetwork, IConnection, IListener, INodeLog
{
    private readonly Queue<Action> _posted = new();
    private readonly byte[] _reserved = new byte[16384];
    private Func<IConnection, IConnectionHandler>? _accept;

    public long NowMicros => 0;

    public string Peer => "input";

    public bool IsOpen { get; private set; } = true;

    public long QueuedBytes { get; private set; }

    /// <summary>Gets or sets whether the system takes nothing of what is sent.</summary>
    public bool IsStuck { get; set; }

    /// <summary>Gets how many bytes were sent.</summary>
    public long SentBytes { get; private set; }

    /// <summary>Gets how many sentences were logged.</summary>
    public int Sentences { get; private set; }

    public IConnectionHandler Handler { get; private set; } = null!;

    public NodeAddress Address => new("input", 1);

    public void Post(Action action) => _posted.Enqueue(action);

    public ILoopTimer StartTimer(long delayMs, Action action) => new Timer();

    /// <summary>Connects the listener to the input.</summary>
    public void Accept()
    {
        Handler = _accept!(this);
        Handler.Connected(this);
    }

    /// <summary>Runs what is posted, also what that posts.</summary>
    public void Run()
    {
        while (_posted.TryDequeue(out var action))
        {
            action();
        }
    }

    /// <summary>Gives the handler bytes in pieces.</summary>
    public void Give(ReadOnlySpan<byte> bytes, int pieceBytes)
    {
        var whole = Slice.Copy(bytes);
        for (var at = 0; at < bytes.Length && IsOpen; at += Math.Min(pieceBytes, bytes.Length - at))
        {
            Handler.Received(this, whole.Part(at, Math.Min(pieceBytes, bytes.Length - at)));
            Run();
        }

        whole.Release();
    }

    /// <summary>The system takes everything.</summary>
    public void Unstick()
    {
        IsStuck = false;
        QueuedBytes = 0;
        if (IsOpen)
        {
            Handler.Drained(this);
        }

        Run();
    }

    /// <summary>Ends the connection.</summary>
    public void End()
    {
        IsOpen = false;
        Handler.Closed(this, "the input has ended");
        Run();
    }

    public void Send(Slice slice) => Sent(slice.Length);

    public Span<byte> Reserve(int count)
    {
        Sent(count);
        return _reserved.AsSpan(0, count);
    }

    public void SetReceiving(bool receiving)
    {
    }

    public void Close(string reason) => IsOpen = false;

    void IListener.Close()
    {
    }

    public IListener Listen(NodeAddress address, Func<IConnection, IConnectionHandler> accept)
    {
        _accept = accept;
        return this;
    }

    public IConnection Connect(NodeAddress address, IConnectionHandler handler, long timeoutMs)
    {
        Handler = handler;
        return this;
    }

    public void Write(NodeLogLevel level, string sentence)
    {
        Sentences++;
        if (sentence.Length == 0 || sentence.Any(char.IsControl))
        {
            throw new InvalidOperationException("a line of the log is empty or holds control characters");
        }
    }

    private void Sent(int count)
    {
        SentBytes += count;
        QueuedBytes += IsStuck ? count : 0;
    }

    private sealed class Timer : ILoopTimer
    {
        public void Cancel()
        {
        }
    }
}
