using System.Buffers.Binary;
using System.Text;
using MirrorController.Protocol.Seams;

namespace MirrorController.HostAgent.Nbd;

/// <summary>The handshake with one client: flags, then options until one of them chooses an export.</summary>
/// <remarks>
/// States: flags → option header → (option data | data to skip) → option header → …, until <see cref="Chosen"/>,
/// <see cref="IsAborted"/> or <see cref="Fault"/> is set. Not a hot path: it collects each piece before it looks at it.
/// </remarks>
internal sealed class NbdNegotiation(NbdExports exports, IConnection connection)
{
    private readonly byte[] _piece = new byte[NbdConstants.OptionDataBytesMax];
    private State _state = State.ClientFlags;
    private int _pieceFill;
    private int _pieceNeed = sizeof(uint);
    private int _skipLeft;
    private int _optionCount;
    private bool _noZeroes;
    private NbdOptionHeader _option;

    private enum State
    {
        ClientFlags,
        OptionHeader,
        OptionData,
        OptionSkip,
    }

    /// <summary>Gets the volume that the client has chosen: from here on it sends requests.</summary>
    public IVolume? Chosen { get; private set; }

    /// <summary>Gets whether the client has taken its leave.</summary>
    public bool IsAborted { get; private set; }

    /// <summary>Gets why the connection must end, or null.</summary>
    public string? Fault { get; private set; }

    private bool IsOver => Chosen is not null || IsAborted || Fault is not null;

    /// <summary>Takes in bytes and answers them.</summary>
    /// <returns>How many bytes it used: all of them, unless the negotiation ended before.</returns>
    public int Take(ReadOnlySpan<byte> bytes)
    {
        var used = 0;
        while (!IsOver)
        {
            if (_state == State.OptionSkip)
            {
                var skipped = Math.Min(_skipLeft, bytes.Length - used);
                used += skipped;
                _skipLeft -= skipped;
                if (_skipLeft > 0)
                {
                    break;
                }

                RefuseSkipped();
                continue;
            }

            var n = Math.Min(_pieceNeed - _pieceFill, bytes.Length - used);
            bytes.Slice(used, n).CopyTo(_piece.AsSpan(_pieceFill));
            used += n;
            _pieceFill += n;
            if (_pieceFill < _pieceNeed)
            {
                break;
            }

            TakePiece(_piece.AsSpan(0, _pieceNeed));
        }

        return used;
    }

    private void TakePiece(ReadOnlySpan<byte> piece)
    {
        switch (_state)
        {
            case State.ClientFlags:
                TakeClientFlags((NbdClientFlags)BinaryPrimitives.ReadUInt32BigEndian(piece));
                break;
            case State.OptionHeader:
                TakeOptionHeader(piece);
                break;
            default:
                Answer(piece);
                Expect(State.OptionHeader, NbdOptionHeader.Size);
                break;
        }
    }

    private void TakeClientFlags(NbdClientFlags flags)
    {
        if ((flags & ~(NbdClientFlags.FixedNewstyle | NbdClientFlags.NoZeroes)) != 0)
        {
            Fault = $"it set handshake flags that were not offered (0x{(uint)flags:x})";
            return;
        }

        _noZeroes = (flags & NbdClientFlags.NoZeroes) != 0;
        Expect(State.OptionHeader, NbdOptionHeader.Size);
    }

    private void TakeOptionHeader(ReadOnlySpan<byte> piece)
    {
        if (!NbdOptionHeader.TryRead(piece, out _option))
        {
            Fault = "an option does not begin with the magic number";
        }
        else if (++_optionCount > NbdConstants.OptionsMax)
        {
            Fault = $"it sent more than {NbdConstants.OptionsMax} options";
        }
        else if (_option.LengthBytes > NbdConstants.OptionSkipBytesMax)
        {
            Fault = $"option {(uint)_option.Option} announces {_option.LengthBytes} bytes of data, more than {NbdConstants.OptionSkipBytesMax}";
        }
        else if (_option.LengthBytes > NbdConstants.OptionDataBytesMax)
        {
            _state = State.OptionSkip;
            _skipLeft = (int)_option.LengthBytes;
        }
        else
        {
            Expect(State.OptionData, (int)_option.LengthBytes);
        }
    }

    private void Expect(State state, int bytes)
    {
        _state = state;
        _pieceFill = 0;
        _pieceNeed = bytes;
    }

    private void RefuseSkipped()
    {
        switch (_option.Option)
        {
            case NbdOption.ExportName:
                Fault = "it asked for an export by a name longer than any";
                break;
            case NbdOption.Abort:
                Answer([]);
                break;
            case NbdOption.List or NbdOption.Info or NbdOption.Go:
                Refuse(NbdOptionReply.TooBig, $"The option has more than {NbdConstants.OptionDataBytesMax} bytes of data.");
                break;
            default:
                Refuse(NbdOptionReply.Unsupported, "The option is not supported.");
                break;
        }

        Expect(State.OptionHeader, NbdOptionHeader.Size);
    }

    private void Answer(ReadOnlySpan<byte> data)
    {
        switch (_option.Option)
        {
            case NbdOption.ExportName:
                AnswerExportName(Encoding.UTF8.GetString(data));
                break;
            case NbdOption.Abort:
                // Data is ignored here, not refused: the client is leaving.
                NbdOptionReplies.SendAck(connection, NbdOption.Abort);
                IsAborted = true;
                break;
            case NbdOption.List:
                AnswerList(data);
                break;
            case NbdOption.Info or NbdOption.Go:
                AnswerInfo(data);
                break;
            default:
                Refuse(NbdOptionReply.Unsupported, "The option is not supported.");
                break;
        }
    }

    private void AnswerExportName(string name)
    {
        if (exports.Find(name) is not { } volume)
        {
            // This option knows no refusal: the specification has the session end.
            Fault = $"it asked for the export '{Printable(name)}', which does not exist";
            return;
        }

        NbdOptionReplies.SendExportName(connection, volume, _noZeroes);
        Chosen = volume;
    }

    private void AnswerList(ReadOnlySpan<byte> data)
    {
        if (!data.IsEmpty)
        {
            Refuse(NbdOptionReply.Invalid, "The option LIST has no data.");
            return;
        }

        foreach (var volume in exports.All)
        {
            NbdOptionReplies.SendServer(connection, volume);
        }

        NbdOptionReplies.SendAck(connection, NbdOption.List);
    }

    private void AnswerInfo(ReadOnlySpan<byte> data)
    {
        if (!NbdExportChoice.TryRead(data, out var choice))
        {
            Refuse(NbdOptionReply.Invalid, "The lengths in the option do not agree.");
            return;
        }

        if (exports.Find(choice.Name) is not { } volume)
        {
            Refuse(NbdOptionReply.Unknown, "There is no export of this name.");
            return;
        }

        var option = _option.Option;
        NbdOptionReplies.SendExportInfo(connection, option, volume);
        if (choice.WantsName)
        {
            NbdOptionReplies.SendTextInfo(connection, option, NbdInfo.Name, volume.Name);
        }

        if (choice.WantsDescription)
        {
            NbdOptionReplies.SendTextInfo(connection, option, NbdInfo.Description, $"mirrored volume {volume.Name}");
        }

        if (choice.WantsBlockSize)
        {
            NbdOptionReplies.SendBlockSizeInfo(connection, option, volume);
        }

        NbdOptionReplies.SendAck(connection, option);
        Chosen = option == NbdOption.Go ? volume : null;
    }

    /// <summary>Makes a stranger's text fit for a line of the log.</summary>
    private static string Printable(string text) =>
        string.Concat(text.Take(64).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));

    private void Refuse(NbdOptionReply error, string sentence) => NbdOptionReplies.SendError(connection, _option.Option, error, sentence);
}
