using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;

namespace MirrorController.Protocol.Wire;

/// <summary>Who uses a <see cref="BoardLink"/> and hears of its events, on the loop.</summary>
public interface IBoardLinkOwner
{
    /// <summary>Makes the HELLO for the next connection; the nonce is filled in by the link.</summary>
    Hello MakeHello(BoardLink link, byte[] nonce);

    /// <summary>The secret is proven in both directions; the board's state is known.</summary>
    void LinkReady(BoardLink link, BoardState state);

    /// <summary>A frame came that answers no <see cref="BoardLink.AskAsync(FrameHeader, WireWriter?)"/>: the hot path's answers.</summary>
    void LinkFrame(BoardLink link, in FrameHeader header, Payload? payload);

    /// <summary>What was queued is with the system.</summary>
    void LinkDrained(BoardLink link);

    /// <summary>The connection is gone; a new one is being made. Called once for each lost or failed connection.</summary>
    void LinkLost(BoardLink link, string reason);
}

/// <summary>The answer to a procedure's question.</summary>
/// <param name="Arrived">False if the connection was lost first.</param>
/// <param name="Header">The answer's header.</param>
/// <param name="Body">The answer's body, copied; empty when there is none.</param>
public readonly record struct LinkAnswer(bool Arrived, FrameHeader Header, byte[] Body)
{
    /// <summary>The connection was lost before the answer came.</summary>
    public static readonly LinkAnswer Lost = new(false, default, []);

    /// <summary>Gets whether the answer came and is <see cref="WireStatus.Ok"/>.</summary>
    public bool IsOk => Arrived && Header.Status == WireStatus.Ok;

    /// <summary>Gets what went wrong, as words for a sentence.</summary>
    public string Fault => !Arrived ? "the connection was lost" : Body.Length > 0 ? new WireReader(Body).Text() : Header.Status.ToString();
}

/// <summary>One connection to a board that is kept up: connects, proves the secret, pings, and begins anew when it breaks.</summary>
/// <remarks>
/// A ping every second in both directions, three seconds of silence close the connection, a connection attempt ends
/// after one second: a pulled plug sends no FIN. Used by the coordinator, by boards towards each other, and by the
/// commands that ask boards.
/// </remarks>
public sealed class BoardLink : IConnectionHandler, IFrameHandler
{
    /// <summary>How often a sign of life is asked for, in milliseconds.</summary>
    public const long PingEveryMs = 1000;

    /// <summary>How long a peer may be silent, in milliseconds.</summary>
    public const long SilenceMaxMs = 3000;

    private const long ConnectMaxMs = 1000;
    private const long RetryFirstMs = 100;
    private const long RetryMaxMs = 1000;
    private const ulong QuestionBit = 1UL << 63;

    private readonly ILoop _loop;
    private readonly INetwork _network;
    private readonly IRandomSource _random;
    private readonly INodeLog _log;
    private readonly IBoardLinkOwner _owner;
    private readonly byte[] _secret;
    private readonly Dictionary<ulong, LoopCompletion<LinkAnswer>> _questions = [];
    private IConnection? _connection;
    private FrameReader? _reader;
    private ILoopTimer? _timer;
    private byte[] _hello = [];
    private ulong _lastQuestion = QuestionBit;
    private long _heardMicros;
    private long _retryMs = RetryFirstMs;
    private string _lastReason = string.Empty;
    private bool _stopped;
    private bool _challenged;
    private bool _refusing;

    public BoardLink(
        ILoop loop, INetwork network, IRandomSource random, INodeLog log, IBoardLinkOwner owner, string board, NodeAddress address, byte[] secret)
    {
        _loop = loop;
        _network = network;
        _random = random;
        _log = log;
        _owner = owner;
        _secret = secret;
        Board = board;
        Address = address;
    }

    /// <summary>Gets the board's name, as configured.</summary>
    public string Board { get; }

    /// <summary>Gets the board's address.</summary>
    public NodeAddress Address { get; }

    /// <summary>Gets whether the secret is proven and the connection stands.</summary>
    public bool IsReady { get; private set; }

    /// <summary>Gets the number of the present connection: an answer that was asked for on an earlier one says nothing of this one.</summary>
    public int Generation { get; private set; }

    /// <summary>Gets why the link is not ready, one sentence.</summary>
    public string Reason { get; private set; } = "not connected yet";

    /// <summary>Gets whether the last connection ended because one side refused the other: secret, volume, member or name.</summary>
    public bool WasRefused { get; private set; }

    /// <summary>Gets whether the board must say that its name is <see cref="Board"/>; a board's links to its peers know only addresses.</summary>
    public bool ExpectsName { get; init; }

    /// <summary>Gets the connection's boot id, as the board named it.</summary>
    public ulong BootId { get; private set; }

    /// <summary>Gets the connection, for the hot path; only while <see cref="IsReady"/>.</summary>
    public IConnection Connection => _connection!;

    /// <summary>Begins to connect.</summary>
    public void Start() => Connect();

    /// <summary>Closes the link for good.</summary>
    public void Stop()
    {
        _stopped = true;
        _timer?.Cancel();
        Drop("closed by this side");
    }

    /// <summary>Closes the connection, so that a new one is made.</summary>
    public void Reset(string reason) => Drop(reason);

    /// <summary>Asks the board and waits for its answer, however long that takes; a lost connection is an answer, too.</summary>
    /// <param name="header">The frame; its request id is filled in.</param>
    /// <param name="body">The body, or null.</param>
    public Task<LinkAnswer> AskAsync(FrameHeader header, WireWriter? body = null)
    {
        if (!IsReady)
        {
            return Task.FromResult(LinkAnswer.Lost);
        }

        header.RequestId = ++_lastQuestion;
        var source = new LoopCompletion<LinkAnswer>(_loop);
        _questions.Add(header.RequestId, source);
        _connection!.SendFrame(ref header, body is null ? default : body.Written);
        return source.Task;
    }

    void IConnectionHandler.Connected(IConnection connection)
    {
        if (connection != _connection)
        {
            return;
        }

        _heardMicros = _loop.NowMicros;
        StartTimer(PingEveryMs, Tick);
        var nonce = new byte[Hello.NonceSize];
        _random.Fill(nonce);
        var writer = new WireWriter();
        _owner.MakeHello(this, nonce).WriteTo(writer);
        _hello = writer.Written.ToArray();
        var header = new FrameHeader { Command = Command.Hello };
        connection.SendFrame(ref header, _hello);
    }

    void IConnectionHandler.Received(IConnection connection, Slice slice)
    {
        if (connection != _connection)
        {
            return;
        }

        _heardMicros = _loop.NowMicros;
        var wrong = _reader!.Take(slice);
        if (wrong is not null && connection == _connection)
        {
            _log.Warning($"Board {Board} at {Address}: {wrong}; the connection is closed and made anew.");
            Drop(wrong);
        }
    }

    void IConnectionHandler.Drained(IConnection connection)
    {
        if (connection == _connection && IsReady)
        {
            _owner.LinkDrained(this);
        }
    }

    void IConnectionHandler.Closed(IConnection connection, string reason)
    {
        if (connection == _connection)
        {
            Lose(reason);
        }
    }

    void IFrameHandler.Frame(in FrameHeader header, Payload? payload)
    {
        if (!IsReady)
        {
            Handshake(header, payload);
            return;
        }

        switch (header.Command)
        {
            case Command.Ping:
                var pong = new FrameHeader { Command = Command.Ping | Command.Reply };
                _connection!.SendFrame(ref pong);
                return;
            case Command.Ping | Command.Reply:
                return;
            case Command.Refused:
                Refuse(payload);
                return;
        }

        if ((header.RequestId & QuestionBit) != 0 && header.IsReply)
        {
            if (_questions.Remove(header.RequestId, out var source))
            {
                var body = new byte[payload?.Length ?? 0];
                payload?.CopyTo(0, body);
                source.Complete(new LinkAnswer(true, header, body));
            }

            return;
        }

        _owner.LinkFrame(this, header, payload);
    }

    private void Handshake(in FrameHeader header, Payload? payload)
    {
        var reader = WireReader.From(payload);
        switch (header.Command)
        {
            case Command.Challenge when !_challenged:
                var nonce = reader.Bytes(Hello.NonceSize);
                var proof = reader.Bytes(HelloProof.Size);
                if (!reader.IsWhole || !HelloProof.AreEqual(proof, HelloProof.OfListener(_secret, _hello, nonce)))
                {
                    Complain($"Board {Board} at {Address} does not know the volume's secret.");
                    _refusing = true;
                    Drop("the board does not know the volume's secret");
                    return;
                }

                _challenged = true;
                BootId = header.BootId;
                var answer = new FrameHeader { Command = Command.Proof };
                _connection!.SendFrame(ref answer, HelloProof.OfCaller(_secret, _hello, nonce));
                return;
            case Command.Welcome when _challenged:
                var state = BoardState.Read(reader);
                if (state is null)
                {
                    Complain($"Board {Board} at {Address} sent a malformed state.");
                    Drop("the board sent a malformed state");
                    return;
                }

                if (ExpectsName && state.Board != Board)
                {
                    // Two addresses that were swapped, or a board that got another's: nothing may be written to the wrong one.
                    var sentence = $"the board at {Address} says that it is {state.Board}, not {Board}";
                    Complain($"Board {Board} is not used: {sentence}.");
                    _refusing = true;
                    Drop(sentence);
                    return;
                }

                BootId = state.BootId;
                IsReady = true;
                Generation++;
                Reason = string.Empty;
                _lastReason = string.Empty;
                _retryMs = RetryFirstMs;
                _owner.LinkReady(this, state);
                return;
            case Command.Refused:
                Refuse(payload);
                return;
            default:
                Drop($"the board sent {header.Command} before it had let this side in");
                return;
        }
    }

    private void Refuse(Payload? payload)
    {
        var why = WireReader.From(payload).Text();
        Complain($"Board {Board} at {Address} refused the connection: {why}");
        _refusing = true;
        Drop(why);
    }

    private void Complain(string sentence)
    {
        if (sentence != _lastReason)
        {
            _lastReason = sentence;
            _log.Warning(sentence);
        }
    }

    private void Connect()
    {
        if (_stopped)
        {
            return;
        }

        _reader = new FrameReader(this);
        _challenged = false;
        _connection = _network.Connect(Address, this, ConnectMaxMs);
    }

    private void Tick()
    {
        if (_connection is null)
        {
            return;
        }

        if (_loop.NowMicros - _heardMicros > SilenceMaxMs * 1000)
        {
            Drop($"silent for {SilenceMaxMs / 1000} s");
            return;
        }

        if (IsReady)
        {
            var ping = new FrameHeader { Command = Command.Ping };
            _connection.SendFrame(ref ping);
        }

        StartTimer(PingEveryMs, Tick);
    }

    private void Drop(string reason)
    {
        var connection = _connection;
        if (connection is null)
        {
            return;
        }

        // Closed for this object at once; the connection's own Closed comes later and finds it gone.
        Lose(reason);
        connection.Close(reason);
    }

    private void Lose(string reason)
    {
        _connection = null;
        _reader?.Stop();
        _reader = null;
        IsReady = false;
        Reason = reason.TrimEnd('.');
        WasRefused = _refusing;
        _refusing = false;
        _timer?.Cancel();
        foreach (var question in _questions.Values)
        {
            question.Complete(LinkAnswer.Lost);
        }

        _questions.Clear();
        _owner.LinkLost(this, Reason);
        if (!_stopped && _connection is null)
        {
            StartTimer(_retryMs, Connect);
            _retryMs = Math.Min(_retryMs * 2, RetryMaxMs);
        }
    }

    private void StartTimer(long delayMs, Action action)
    {
        _timer?.Cancel();
        _timer = _loop.StartTimer(delayMs, action);
    }
}
