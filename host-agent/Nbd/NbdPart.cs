using MirrorController.Protocol;
using MirrorController.Protocol.Seams;

namespace MirrorController.HostAgent.Nbd;

/// <summary>What the volume has been asked for: a whole request, or a part of one that crosses 256 KiB boundaries; reused.</summary>
internal sealed class NbdPart(NbdTransmission owner) : IVolumeCompletion
{
    /// <summary>Gets the request that this is a part of.</summary>
    public NbdRequest? Request { get; private set; }

    /// <summary>Gets the part's number in its request.</summary>
    public int Index { get; private set; }

    /// <summary>Gets the length in bytes.</summary>
    public int LengthBytes { get; private set; }

    /// <summary>Makes a new part of this object.</summary>
    public void Begin(NbdRequest request, int lengthBytes)
    {
        Request = request;
        Index = request.BeginPart();
        LengthBytes = lengthBytes;
    }

    /// <summary>Ends the part and gives its request.</summary>
    public NbdRequest End()
    {
        var request = Request;
        Invariant.Check(request is not null, "a part of a request ends once");
        Request = null;
        return request;
    }

    /// <inheritdoc/>
    public void Completed(VolumeError error, Payload? data) => owner.PartEnded(this, error, data);
}
