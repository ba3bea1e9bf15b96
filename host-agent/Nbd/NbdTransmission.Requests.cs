using MirrorController.Protocol;
using MirrorController.Protocol.Seams;

namespace MirrorController.HostAgent.Nbd;

/// <content>Requests: begun, cut into parts, ended, answered.</content>
internal sealed partial class NbdTransmission
{
    private readonly Stack<NbdRequest> _freeRequests = new();
    private readonly Stack<NbdPart> _freeParts = new();
    private NbdRequest? _forgotten;
    private long _readBytes;
    private long _writeBytes;
    private bool _isGone;
    private bool _isGeneratorClosed;

    /// <summary>Gets the requests that are not answered, the one whose payload is coming in included.</summary>
    public int Outstanding { get; private set; }

    // Replies that the client does not take are bounded like reads in flight: each request has one.
    private bool HasRoomForRequest =>
        Outstanding < NbdConstants.RequestsMax && _connection.QueuedBytes + _readBytes < NbdConstants.UnsentBytesMax;

    /// <summary>Tells that the client has gone: what comes back from the volume is dropped.</summary>
    public void Gone()
    {
        _isGone = true;
        End();
        CloseGeneratorIfIdle();
    }

    /// <summary>A part has ended.</summary>
    public void PartEnded(NbdPart part, VolumeError error, Payload? data)
    {
        var request = part.End();
        if (request.Header.Command == NbdCommand.Write)
        {
            _writeBytes -= part.LengthBytes;
        }
        else if (request.Header.Command == NbdCommand.Read && error == VolumeError.None)
        {
            Invariant.Check(data?.Length == part.LengthBytes, "a volume returns as many bytes as it was asked for");
        }

        request.EndPart(part.Index, error, _isGone || request.Header.Command != NbdCommand.Read ? null : data);
        _freeParts.Push(part);
        if (request.IsDone)
        {
            Answer(request);
        }
        else if (request == _forgotten && request.OpenParts == 0)
        {
            Forget(request);
        }

        CloseGeneratorIfIdle();
        _progressed();
    }

    private void BeginRequest()
    {
        _state = State.Header;
        if (_header.Command == NbdCommand.Disconnect)
        {
            End();
            return;
        }

        var error = _header.Judge(_volume.SizeBytes);
        if (_header.Command == NbdCommand.Write)
        {
            BeginWrite(error);
        }
        else if (error != NbdError.None)
        {
            Reply(error, _header.Cookie);
        }
        else if (_header.Command == NbdCommand.Read)
        {
            BeginRead();
        }
        else
        {
            var request = TakeRequest();
            request.IsComplete = true;
            _volume.Flush(TakePart(request, 0));
        }
    }

    private void BeginRead()
    {
        var request = TakeRequest();
        request.IsComplete = true;
        var offset = (long)_header.OffsetBytes;
        var left = (int)_header.LengthBytes;
        _readBytes += left;
        if (left == 0)
        {
            Answer(request);
            return;
        }

        while (left > 0)
        {
            var n = PartBytes(offset, left);
            _volume.Read(offset, n, TakePart(request, n));
            offset += n;
            left -= n;
        }
    }

    private void BeginWrite(NbdError error)
    {
        _write = TakeRequest();
        // Both enums hold the specification's numbers.
        _write.Error = (VolumeError)error;
        _payloadLeft = _header.LengthBytes;
        _state = _payloadLeft == 0 || error != NbdError.None ? State.Discard : State.PartAdmission;
    }

    /// <summary>Makes room for the next part of the write whose payload is coming in; false when it has to wait.</summary>
    private bool TryBeginPayload()
    {
        if (_writeBytes >= NbdConstants.WriteBytesMax)
        {
            return false;
        }

        _part = new Payload();
        _partLeft = PartBytes(WriteOffset, (int)_payloadLeft);
        _state = State.Payload;
        return true;
    }

    private long WriteOffset => (long)_header.OffsetBytes + _header.LengthBytes - _payloadLeft;

    private void WritePart()
    {
        var payload = _part!;
        _part = null;
        if (_write!.Error != VolumeError.None)
        {
            // A part before this one has failed, and with it the request.
            payload.Release();
            _state = State.Discard;
            return;
        }

        _writeBytes += payload.Length;
        var fua = (_header.Flags & NbdCommandFlags.Fua) != 0;
        _volume.Write(_generator, WriteOffset - payload.Length, payload, fua, TakePart(_write, payload.Length));
        payload.Release();
        if (_payloadLeft > 0)
        {
            _state = State.PartAdmission;
        }
        else
        {
            EndWrite();
        }
    }

    /// <summary>The write's last byte is in.</summary>
    private void EndWrite()
    {
        var write = _write!;
        _write = null;
        _state = State.Header;
        write.IsComplete = true;
        if (write.IsDone)
        {
            Answer(write);
        }
    }

    private void Answer(NbdRequest request)
    {
        if (!_isGone)
        {
            Reply((NbdError)request.Error, request.Header.Cookie);
            if (request.Error == VolumeError.None)
            {
                foreach (var data in request.Data)
                {
                    SendData(data);
                }
            }
        }

        Forget(request);
    }

    private void SendData(Payload? data)
    {
        if (data is null)
        {
            return;
        }

        foreach (var slice in data.Slices)
        {
            _connection.Send(slice);
        }
    }

    private void Reply(NbdError error, ulong cookie) => new NbdSimpleReply(error, cookie).Write(_connection.Reserve(NbdSimpleReply.Size));

    private void Forget(NbdRequest request)
    {
        if (request.Header.Command == NbdCommand.Read)
        {
            _readBytes -= request.Header.LengthBytes;
        }

        request.ReleaseData();
        _forgotten = request == _forgotten ? null : _forgotten;
        _freeRequests.Push(request);
        Outstanding--;
    }

    private NbdRequest TakeRequest()
    {
        if (!_freeRequests.TryPop(out var request))
        {
            request = new NbdRequest();
        }

        request.Begin(_header);
        Outstanding++;
        return request;
    }

    private NbdPart TakePart(NbdRequest request, int lengthBytes)
    {
        if (!_freeParts.TryPop(out var part))
        {
            part = new NbdPart(this);
        }

        part.Begin(request, lengthBytes);
        return part;
    }

    private void CloseGeneratorIfIdle()
    {
        // Not before the last write has ended: until then the number is in use.
        if (_isGone && Outstanding == 0 && !_isGeneratorClosed)
        {
            _isGeneratorClosed = true;
            _volume.CloseGenerator(_generator);
        }
    }

    /// <summary>Cuts at the volume's 256 KiB boundaries.</summary>
    private static int PartBytes(long offsetBytes, int leftBytes) =>
        Math.Min(leftBytes, NbdConstants.PartBytesMax - (int)(offsetBytes % NbdConstants.PartBytesMax));
}
