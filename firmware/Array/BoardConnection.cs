using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <summary>One connection to a board: HELLO and proof first, then commands by the caller's role.</summary>
internal sealed class BoardConnection(BoardNode board, bool isRefused) : IConnectionHandler, IFrameHandler
{
    private FrameReader? _reader;
    private IConnection? _connection;
    private ILoopTimer? _timer;
    private Hello? _hello;
    private byte[] _helloBody = [];
    private byte[] _nonce = [];
    private long _heardMicros;
    private bool _closed;

    /// <summary>Gets whether the caller has proven the secret.</summary>
    public bool IsProven { get; private set; }

    /// <summary>Gets what the caller is.</summary>
    public HelloRole Role => _hello?.Role ?? 0;

    /// <summary>Gets the caller's address, for messages.</summary>
    public string Peer => _connection?.Peer ?? "?";

    /// <summary>Gets whether frames can still be sent.</summary>
    public bool IsOpen => !_closed;

    public void Connected(IConnection connection)
    {
        _connection = connection;
        _reader = new FrameReader(this);
        _heardMicros = board.Loop.NowMicros;
        _timer = board.Loop.StartTimer(BoardLink.PingEveryMs, Tick);
        if (isRefused)
        {
            Close("too many connections");
        }
    }

    public void Received(IConnection connection, Slice slice)
    {
        if (_closed)
        {
            return;
        }

        _heardMicros = board.Loop.NowMicros;
        var wrong = _reader!.Take(slice);
        if (wrong is not null)
        {
            board.Log.Warning($"A caller at {Peer} was closed: {wrong}.");
            Close(wrong);
        }
    }

    public void Drained(IConnection connection)
    {
    }

    public void Closed(IConnection connection, string reason) => End();

    /// <summary>Closes the connection; what was received and not yet read is dropped (rule B1).</summary>
    public void Close(string reason)
    {
        if (_closed)
        {
            return;
        }

        var connection = _connection;
        End();
        connection?.Close(reason);
    }

    /// <summary>Answers a request.</summary>
    public void Reply(in FrameHeader request, WireStatus status, ref FrameHeader answer, Payload? payload = null)
    {
        if (_closed)
        {
            return;
        }

        Fill(request, status, ref answer);
        _connection!.SendFrame(ref answer, payload);
    }

    /// <summary>Answers a request with a body.</summary>
    public void Reply(in FrameHeader request, WireStatus status, ref FrameHeader answer, WireWriter body)
    {
        if (_closed)
        {
            return;
        }

        Fill(request, status, ref answer);
        _connection!.SendFrame(ref answer, body.Written);
    }

    /// <summary>Answers a request with a refusal, one sentence.</summary>
    public void ReplyFault(in FrameHeader request, WireStatus status, string sentence)
    {
        var answer = new FrameHeader { Tag = request.Tag };
        Reply(request, status, ref answer, new WireWriter().Text(sentence));
    }

    void IFrameHandler.Frame(in FrameHeader header, Payload? payload)
    {
        if (header.Command is Command.Ping or (Command.Ping | Command.Reply) && !IsProven)
        {
            return;
        }

        if (header.Command == Command.Ping)
        {
            var pong = new FrameHeader { Command = Command.Ping | Command.Reply };
            _connection!.SendFrame(ref pong);
            return;
        }

        if (header.Command == (Command.Ping | Command.Reply))
        {
            return;
        }

        if (!IsProven)
        {
            Handshake(header, payload);
            return;
        }

        if (board.IsRestarting)
        {
            return;
        }

        BoardCommands.Dispatch(board, this, header, payload);
    }

    private void Fill(in FrameHeader request, WireStatus status, ref FrameHeader answer)
    {
        answer.Command = request.Command | Command.Reply;
        answer.RequestId = request.RequestId;
        answer.VolumeKey = request.VolumeKey;
        answer.Session = request.Session;
        answer.BootId = board.BootId;
        answer.Status = status;
    }

    private void Handshake(in FrameHeader header, Payload? payload)
    {
        var reader = WireReader.From(payload);
        switch (header.Command)
        {
            case Command.Hello when _hello is null:
                _helloBody = new byte[payload?.Length ?? 0];
                payload?.CopyTo(0, _helloBody);
                var hello = Hello.Read(reader, out var wrong);
                wrong = hello is null ? wrong : Judge(hello);
                if (wrong.Length > 0)
                {
                    RefuseCaller(wrong);
                    return;
                }

                _hello = hello;
                _nonce = new byte[Hello.NonceSize];
                board.Random.Fill(_nonce);
                var challenge = new FrameHeader { Command = Command.Challenge, BootId = board.BootId };
                _connection!.SendFrame(
                    ref challenge,
                    new WireWriter().Bytes(_nonce).Bytes(HelloProof.OfListener(board.Options.Secret, _helloBody, _nonce)).Written);
                return;
            case Command.Proof when _hello is not null:
                var proof = reader.Bytes(HelloProof.Size);
                if (!reader.IsWhole || !HelloProof.AreEqual(proof, HelloProof.OfCaller(board.Options.Secret, _helloBody, _nonce)))
                {
                    RefuseCaller($"the caller does not know the secret of board {board.Options.Name}");
                    return;
                }

                IsProven = true;
                var welcome = new FrameHeader { Command = Command.Welcome, BootId = board.BootId };
                var writer = new WireWriter();
                board.Describe().WriteTo(writer);
                _connection!.SendFrame(ref welcome, writer.Written);
                return;
            default:
                board.Log.Warning($"A caller at {Peer} sent {header.Command} before it had proven the secret; it was closed.");
                Close("it sent a command before it had proven the secret");
                return;
        }
    }

    /// <summary>Judges a HELLO before anything is done for it: nobody else's connection is touched by a caller that is refused.</summary>
    private string Judge(Hello hello)
    {
        var record = board.Volume?.Record;
        if (board.IsRestarting && hello.Role != HelloRole.Status)
        {
            return $"board {board.Options.Name} is starting anew";
        }

        if (record is null || hello.Role is HelloRole.Status or HelloRole.Creator)
        {
            return string.Empty;
        }

        if (!hello.Volume.IsNone && hello.Volume != VolumeIds.FromGuid(record.VolumeId))
        {
            return $"board {board.Options.Name} holds volume {record.Name} with the id {VolumeIds.FromGuid(record.VolumeId)}, not {hello.Volume}";
        }

        if (hello.VolumeName.Length > 0 && hello.VolumeName != record.Name)
        {
            return $"board {board.Options.Name} holds volume {record.Name}, not {hello.VolumeName}";
        }

        if (hello.Member != 0xFFFF && hello.Member != record.Member)
        {
            return $"board {board.Options.Name} is member {record.Member}, not {hello.Member}";
        }

        return string.Empty;
    }

    private void RefuseCaller(string why)
    {
        board.Log.Warning($"A caller at {Peer} was refused: {why}.");
        var refused = new FrameHeader { Command = Command.Refused, Status = WireStatus.NotAccepted };
        _connection!.SendFrame(ref refused, new WireWriter().Text(char.ToUpperInvariant(why[0]) + why[1..] + ".").Written);
        Close(why);
    }

    private void Tick()
    {
        if (_closed)
        {
            return;
        }

        if (board.Loop.NowMicros - _heardMicros > BoardLink.SilenceMaxMs * 1000)
        {
            Close($"silent for {BoardLink.SilenceMaxMs / 1000} s");
            return;
        }

        if (IsProven)
        {
            var ping = new FrameHeader { Command = Command.Ping };
            _connection!.SendFrame(ref ping);
        }

        _timer = board.Loop.StartTimer(BoardLink.PingEveryMs, Tick);
    }

    private void End()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        _timer?.Cancel();
        _reader?.Stop();
        board.Remove(this);
    }
}
