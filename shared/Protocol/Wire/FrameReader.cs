using MirrorController.Protocol.Seams;

namespace MirrorController.Protocol.Wire;

/// <summary>Who gets the frames that a <see cref="FrameReader"/> finds.</summary>
public interface IFrameHandler
{
    /// <summary>A whole frame is there, its CRCs right. The payload is lent for the call; null when there is none.</summary>
    void Frame(in FrameHeader header, Payload? payload);
}

/// <summary>Finds frames in a stream of slices, however it is cut; payloads are not copied.</summary>
public sealed class FrameReader(IFrameHandler handler)
{
    private readonly byte[] _partHeader = new byte[FrameHeader.Size];
    private int _partLength;
    private FrameHeader _header;
    private Payload? _payload;
    private bool _stopped;

    /// <summary>Takes in bytes and hands on the frames that are complete.</summary>
    /// <returns>Null, or one sentence that says what is wrong: the stream is of no use any more.</returns>
    public string? Take(Slice slice)
    {
        while (slice.Length > 0 && !_stopped)
        {
            if (_payload is null)
            {
                string? wrong;
                if (_partLength == 0 && slice.Length >= FrameHeader.Size)
                {
                    wrong = FrameHeader.Read(slice.Span, out _header);
                    slice = slice.Part(FrameHeader.Size, slice.Length - FrameHeader.Size);
                }
                else
                {
                    var n = Math.Min(FrameHeader.Size - _partLength, slice.Length);
                    slice.Span[..n].CopyTo(_partHeader.AsSpan(_partLength));
                    _partLength += n;
                    slice = slice.Part(n, slice.Length - n);
                    if (_partLength < FrameHeader.Size)
                    {
                        return null;
                    }

                    _partLength = 0;
                    wrong = FrameHeader.Read(_partHeader, out _header);
                }

                if (wrong is not null)
                {
                    return wrong;
                }

                if (_header.PayloadLength == 0)
                {
                    handler.Frame(_header, null);
                    continue;
                }

                _payload = new Payload();
            }

            var take = Math.Min(_header.PayloadLength - _payload.Length, slice.Length);
            if (take > 0)
            {
                _payload.Append(slice.Part(0, take));
                slice = slice.Part(take, slice.Length - take);
            }

            if (_payload.Length == _header.PayloadLength)
            {
                var payload = _payload;
                _payload = null;
                if (payload.Crc != _header.PayloadCrc)
                {
                    var sentence = $"the payload of the frame {_header.Command} has the CRC 0x{payload.Crc:x8} instead of 0x{_header.PayloadCrc:x8}";
                    payload.Release();
                    return sentence;
                }

                handler.Frame(_header, payload);
                payload.Release();
            }
        }

        return null;
    }

    /// <summary>Drops a frame begun and hands on no more: the connection is closed.</summary>
    public void Stop()
    {
        _stopped = true;
        _payload?.Release();
        _payload = null;
    }
}
