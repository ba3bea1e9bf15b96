using MirrorController.Protocol.Seams;

namespace MirrorController.HostAgent.Nbd;

/// <summary>A request in flight; reused.</summary>
internal sealed class NbdRequest
{
    private Payload?[] _data = new Payload?[1];

    /// <summary>Gets the request's header.</summary>
    public NbdRequestHeader Header { get; private set; }

    /// <summary>Gets the parts begun.</summary>
    public int PartCount { get; private set; }

    /// <summary>Gets the parts begun and not ended.</summary>
    public int OpenParts { get; private set; }

    /// <summary>Gets or sets whether all parts are begun: a write's are when its last byte is in.</summary>
    public bool IsComplete { get; set; }

    /// <summary>Gets or sets the first error of a part.</summary>
    public VolumeError Error { get; set; }

    /// <summary>Gets whether the request can be answered.</summary>
    public bool IsDone => IsComplete && OpenParts == 0;

    /// <summary>Gets the data of a read, in the order of its parts.</summary>
    public ReadOnlySpan<Payload?> Data => _data.AsSpan(0, PartCount);

    /// <summary>Makes a new request of this object.</summary>
    public void Begin(in NbdRequestHeader header)
    {
        Header = header;
        PartCount = 0;
        OpenParts = 0;
        IsComplete = false;
        Error = VolumeError.None;
    }

    /// <summary>Counts a part in and gives its number.</summary>
    public int BeginPart()
    {
        if (PartCount == _data.Length)
        {
            Array.Resize(ref _data, _data.Length * 2);
        }

        OpenParts++;
        return PartCount++;
    }

    /// <summary>Counts a part out; keeps its data, if any, until the reply.</summary>
    public void EndPart(int index, VolumeError error, Payload? data)
    {
        OpenParts--;
        if (error != VolumeError.None)
        {
            Error = Error == VolumeError.None ? error : Error;
        }
        else if (data is not null)
        {
            data.AddReference();
            _data[index] = data;
        }
    }

    /// <summary>Lets go of the data.</summary>
    public void ReleaseData()
    {
        for (var i = 0; i < PartCount; i++)
        {
            _data[i]?.Release();
            _data[i] = null;
        }
    }
}
