using MirrorController.Protocol.Seams;

namespace MirrorController.HostAgent.Nbd;

/// <summary>The transmission phase with one client: requests come in, replies go out in the order in which they are ready.</summary>
/// <remarks>
/// What must hold:
/// <list type="number">
/// <item>Every request but DISC is answered exactly once, unless the connection ends before.</item>
/// <item>A part of a write goes to the volume only when its payload is complete; parts end on 256 KiB boundaries.</item>
/// <item>A request waits only before its first byte of payload, or between two parts; then something is with the volume
/// or with the system whose end wakes this client (<see cref="PartEnded"/>, or the connection's drain): no deadlock.</item>
/// <item>Nothing is held for a client that has gone, but what the volume still uses.</item>
/// </list>
/// This file takes the stream apart; <c>NbdTransmission.Requests.cs</c> deals with the volume.
/// </remarks>
internal sealed partial class NbdTransmission
{
    private readonly IConnection _connection;
    private readonly IVolume _volume;
    private readonly Action _progressed;
    private readonly int _generator;
    private readonly byte[] _headerBytes = new byte[NbdRequestHeader.Size];
    private State _state = State.Header;
    private int _headerFill;
    private NbdRequestHeader _header;
    private uint _payloadLeft;
    private int _partLeft;
    private Payload? _part;
    private NbdRequest? _write;

    /// <summary>Begins the phase.</summary>
    /// <param name="connection">The client.</param>
    /// <param name="volume">Its volume.</param>
    /// <param name="progressed">Called after every end of a part: what waited may go on.</param>
    public NbdTransmission(IConnection connection, IVolume volume, Action progressed)
    {
        _connection = connection;
        _volume = volume;
        _progressed = progressed;
        _generator = volume.OpenGenerator();
    }

    private enum State
    {
        /// <summary>A header is being collected.</summary>
        Header,

        /// <summary>A header is complete; its request waits for room.</summary>
        Admission,

        /// <summary>A write's next part waits for room.</summary>
        PartAdmission,

        /// <summary>A part's payload is being collected.</summary>
        Payload,

        /// <summary>The payload of a write that is refused, or has failed, is dropped.</summary>
        Discard,

        /// <summary>Nothing more is taken in.</summary>
        Ended,
    }

    /// <summary>Gets whether the stream must stop until there is room.</summary>
    public bool IsWaiting => _state is State.Admission or State.PartAdmission;

    /// <summary>Gets whether nothing more is taken in: the client has said that it leaves, or <see cref="End"/> was called.</summary>
    public bool IsEnded => _state == State.Ended;

    /// <summary>Gets why the connection must end, or null.</summary>
    public string? Fault { get; private set; }

    /// <summary>Takes in bytes.</summary>
    /// <returns>How many bytes it used: all of them, unless it waits or has ended. What it keeps it references.</returns>
    public int Take(Slice slice)
    {
        var used = 0;
        while (true)
        {
            switch (_state)
            {
                case State.Header:
                    if (!TakeHeader(slice, ref used))
                    {
                        return used;
                    }

                    break;
                case State.Admission:
                    if (_header.Command != NbdCommand.Disconnect && !HasRoomForRequest)
                    {
                        return used;
                    }

                    BeginRequest();
                    break;
                case State.PartAdmission:
                    if (!TryBeginPayload())
                    {
                        return used;
                    }

                    break;
                case State.Payload:
                    if (used == slice.Length)
                    {
                        return used;
                    }

                    TakePayload(slice, ref used);
                    break;
                case State.Discard:
                    if (!DropPayload(slice.Length, ref used))
                    {
                        return used;
                    }

                    break;
                default:
                    return used;
            }
        }
    }

    /// <summary>Stops taking in. A request whose payload is incomplete is forgotten; the others will be answered.</summary>
    public void End()
    {
        _state = State.Ended;
        _part?.Release();
        _part = null;
        if (_write is { } write)
        {
            _write = null;
            _forgotten = write;
            if (write.OpenParts == 0)
            {
                Forget(write);
            }
        }
    }

    private bool TakeHeader(Slice slice, ref int used)
    {
        var available = slice.Length - used;
        if (available == 0)
        {
            return false;
        }

        var bytes = slice.Span[used..];
        if (_headerFill > 0 || available < NbdRequestHeader.Size)
        {
            var n = Math.Min(NbdRequestHeader.Size - _headerFill, available);
            bytes[..n].CopyTo(_headerBytes.AsSpan(_headerFill));
            used += n;
            _headerFill += n;
            if (_headerFill < NbdRequestHeader.Size)
            {
                return false;
            }

            bytes = _headerBytes;
            _headerFill = 0;
        }
        else
        {
            used += NbdRequestHeader.Size;
        }

        if (!NbdRequestHeader.TryRead(bytes, out _header))
        {
            Break("a request does not begin with the magic number");
            return true;
        }

        if (_header.Command == NbdCommand.Write && _header.LengthBytes > NbdConstants.PayloadBytesMax)
        {
            // The client was told the limit; reading on to the end of up to 4 GiB would only serve an attack.
            Break($"it sent a write of {_header.LengthBytes} bytes, more than {NbdConstants.PayloadBytesMax}");
            return true;
        }

        _state = State.Admission;
        return true;
    }

    private void TakePayload(Slice slice, ref int used)
    {
        var n = Math.Min(_partLeft, slice.Length - used);
        _part!.Append(slice.Part(used, n));
        used += n;
        _partLeft -= n;
        _payloadLeft -= (uint)n;
        if (_partLeft == 0)
        {
            WritePart();
        }
    }

    private bool DropPayload(int length, ref int used)
    {
        var n = (int)Math.Min(_payloadLeft, (uint)(length - used));
        used += n;
        _payloadLeft -= (uint)n;
        if (_payloadLeft > 0)
        {
            return false;
        }

        EndWrite();
        return true;
    }

    private void Break(string fault)
    {
        Fault = fault;
        End();
    }
}
