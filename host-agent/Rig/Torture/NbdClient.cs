using System.Buffers.Binary;
using System.Text;
using MirrorController.HostAgent.Nbd;
using MirrorController.Protocol.Seams;

namespace MirrorController.HostAgent.Rig.Torture;

/// <summary>A small NBD client on a loop: fixed newstyle, GO, then many requests in flight.</summary>
/// <remarks>One object is one connection; who wants another one makes another client.</remarks>
internal sealed class NbdClient : IConnectionHandler
{
    private const int OptionReplyBytes = 20;
    private const int OptionDataMax = 64 << 10;
    private readonly Dictionary<ulong, NbdCall> _calls = [];
    private readonly INbdClientOwner _owner;
    private readonly string _export;
    private readonly IConnection _connection;
    private readonly byte[] _header = new byte[OptionReplyBytes];
    private int _headerFilled;
    private int _headerWanted = NbdConstants.GreetingBytes;
    private int _skip;
    private NbdCall? _reading;
    private int _readFilled;
    private ulong _cookie;
    private State _state = State.Greeting;

    /// <summary>Begins to connect.</summary>
    public NbdClient(INetwork network, NodeAddress address, string export, long timeoutMs, INbdClientOwner owner)
    {
        _owner = owner;
        _export = export;
        _connection = network.Connect(address, this, timeoutMs);
    }

    private enum State
    {
        Greeting,
        Options,
        Transmission,
        Ended,
    }

    /// <summary>Gets whether requests may be sent.</summary>
    public bool IsReady => _state == State.Transmission;

    /// <summary>Gets how many requests are not answered.</summary>
    public int InFlight => _calls.Count;

    /// <summary>Sends a request; the data of a write are filled by the caller's function before it returns.</summary>
    public void Send(NbdCall call, bool fua, Slice? data)
    {
        var cookie = ++_cookie;
        _calls.Add(cookie, call);
        var flags = fua ? NbdCommandFlags.Fua : 0;
        var offset = call.Command == NbdCommand.Flush ? 0 : (ulong)call.FirstSector * SectorPattern.SectorBytes;
        new NbdRequestHeader(flags, call.Command, cookie, offset, (uint)call.LengthBytes).Write(_connection.Reserve(NbdRequestHeader.Size));
        if (data is { } slice)
        {
            _connection.Send(slice);
        }
    }

    /// <summary>Closes the connection.</summary>
    public void Close() => _connection.Close("the load ends");

    /// <inheritdoc/>
    public void Connected(IConnection connection)
    {
    }

    /// <inheritdoc/>
    public void Received(IConnection connection, Slice slice)
    {
        var bytes = (ReadOnlySpan<byte>)slice.Span;
        while (!bytes.IsEmpty && _state != State.Ended)
        {
            bytes = bytes[Take(bytes)..];
        }
    }

    /// <inheritdoc/>
    public void Drained(IConnection connection)
    {
    }

    /// <inheritdoc/>
    public void Closed(IConnection connection, string reason)
    {
        var wasReady = IsReady;
        _state = State.Ended;
        _owner.Closed(this, wasReady, reason);
    }

    /// <summary>Takes some bytes of the stream and says how many.</summary>
    private int Take(ReadOnlySpan<byte> bytes)
    {
        if (_skip > 0)
        {
            var skipped = Math.Min(_skip, bytes.Length);
            _skip -= skipped;
            return skipped;
        }

        if (_reading is { } call)
        {
            var n = Math.Min(call.LengthBytes - _readFilled, bytes.Length);
            bytes[..n].CopyTo(call.Data.AsSpan(_readFilled));
            _readFilled += n;
            if (_readFilled == call.LengthBytes)
            {
                _reading = null;
                _owner.Answered(call, NbdError.None);
            }

            return n;
        }

        var taken = Math.Min(_headerWanted - _headerFilled, bytes.Length);
        bytes[..taken].CopyTo(_header.AsSpan(_headerFilled));
        _headerFilled += taken;
        if (_headerFilled == _headerWanted)
        {
            _headerFilled = 0;
            TakeHeader();
        }

        return taken;
    }

    private void TakeHeader()
    {
        switch (_state)
        {
            case State.Greeting:
                TakeGreeting();
                break;
            case State.Options:
                TakeOptionReply();
                break;
            default:
                TakeReply();
                break;
        }
    }

    private void TakeGreeting()
    {
        if (BinaryPrimitives.ReadUInt64BigEndian(_header) != NbdConstants.GreetingMagic
            || BinaryPrimitives.ReadUInt64BigEndian(_header.AsSpan(8)) != NbdConstants.OptionMagic)
        {
            Break("a greeting that is not NBD's");
            return;
        }

        var name = Encoding.UTF8.GetBytes(_export);
        // Flags; GO with the export's name and no wishes for information.
        var message = _connection.Reserve(4 + NbdOptionHeader.Size + 4 + name.Length + 2);
        BinaryPrimitives.WriteUInt32BigEndian(message, (uint)(NbdClientFlags.FixedNewstyle | NbdClientFlags.NoZeroes));
        BinaryPrimitives.WriteUInt64BigEndian(message[4..], NbdConstants.OptionMagic);
        BinaryPrimitives.WriteUInt32BigEndian(message[12..], (uint)NbdOption.Go);
        BinaryPrimitives.WriteUInt32BigEndian(message[16..], (uint)(4 + name.Length + 2));
        BinaryPrimitives.WriteUInt32BigEndian(message[20..], (uint)name.Length);
        name.CopyTo(message[24..]);
        BinaryPrimitives.WriteUInt16BigEndian(message[(24 + name.Length)..], 0);
        _state = State.Options;
        _headerWanted = OptionReplyBytes;
    }

    private void TakeOptionReply()
    {
        var type = (NbdOptionReply)BinaryPrimitives.ReadUInt32BigEndian(_header.AsSpan(12));
        var length = BinaryPrimitives.ReadUInt32BigEndian(_header.AsSpan(16));
        if (BinaryPrimitives.ReadUInt64BigEndian(_header) != NbdConstants.OptionReplyMagic
            || length > OptionDataMax
            || type is not (NbdOptionReply.Ack or NbdOptionReply.Info))
        {
            // An agent that does not serve the volume yet refuses it.
            Close();
            return;
        }

        _skip = (int)length;
        if (type == NbdOptionReply.Ack)
        {
            _state = State.Transmission;
            _headerWanted = NbdSimpleReply.Size;
            _owner.Ready(this);
        }
    }

    private void TakeReply()
    {
        if (!NbdSimpleReply.TryRead(_header, out var reply) || !_calls.Remove(reply.Cookie, out var call))
        {
            Break("a reply that answers nothing");
            return;
        }

        if (call.Command == NbdCommand.Read && reply.Error == NbdError.None)
        {
            _reading = call;
            _readFilled = 0;
            return;
        }

        _owner.Answered(call, reply.Error);
    }

    private void Break(string what)
    {
        _state = State.Ended;
        _owner.Broken($"The agent sent {what}.");
        Close();
    }
}

/// <summary>Who is told what a client meets.</summary>
internal interface INbdClientOwner
{
    /// <summary>Requests may be sent.</summary>
    void Ready(NbdClient client);

    /// <summary>A request was answered.</summary>
    void Answered(NbdCall call, NbdError error);

    /// <summary>The agent breaks the protocol.</summary>
    void Broken(string sentence);

    /// <summary>The connection ended; what is in flight will not be answered.</summary>
    void Closed(NbdClient client, bool wasReady, string reason);
}
