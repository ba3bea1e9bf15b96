using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Seams;

namespace MirrorController.Protocol.Coordination;

/// <summary>One read of at most 256 KiB: waits for overlapping writes in flight (rule W1), then asks one member, and another if that one fails.</summary>
internal sealed class ReadOp(Coordinator coordinator) : RangeLockRequest
{
    public IVolumeCompletion Done { get; private set; } = null!;

    /// <summary>Gets where the application's bytes begin in the blocks read.</summary>
    public int SkipBytes { get; private set; }

    /// <summary>Gets how many bytes the application asked for.</summary>
    public int LengthBytes { get; private set; }

    /// <summary>Gets or sets the request id on the wire; changes with every try, so that a late answer finds nothing.</summary>
    public ulong RequestId { get; set; }

    /// <summary>Gets or sets the index of the member asked; -1 for none.</summary>
    public int AskedIndex { get; set; }

    /// <summary>Gets or sets the members that could not read the range, as bits by index.</summary>
    public uint Failed { get; set; }

    public void Begin(BlockRange range, int skipBytes, int lengthBytes, IVolumeCompletion done)
    {
        Range = range;
        SkipBytes = skipBytes;
        LengthBytes = lengthBytes;
        Done = done;
        RequestId = 0;
        AskedIndex = -1;
        Failed = 0;
    }

    protected internal override void Granted() => coordinator.ReadGranted(this);
}
