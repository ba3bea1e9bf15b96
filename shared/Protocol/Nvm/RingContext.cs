using MirrorController.Protocol.Tags;

namespace MirrorController.Protocol.Nvm;

/// <summary>What records are deltas against: per volume the last tag and generator, and the last volume.</summary>
/// <remarks>Reset at the first batch of a segment and of a start, so that a scan can begin at any segment.</remarks>
internal sealed class RingContext
{
    private readonly Tag[] _lastTag = new Tag[NvmLayout.VolumesMax];
    private readonly ushort[] _lastGenerator = new ushort[NvmLayout.VolumesMax];

    /// <summary>Gets or sets the volume of the last entry.</summary>
    public int LastSlot { get; set; }

    /// <summary>Gets the last tag of each volume.</summary>
    public Span<Tag> LastTag => _lastTag;

    /// <summary>Gets the last generator of each volume.</summary>
    public Span<ushort> LastGenerator => _lastGenerator;

    /// <summary>Forgets everything.</summary>
    public void Reset()
    {
        LastSlot = 0;
        System.Array.Clear(_lastTag);
        System.Array.Clear(_lastGenerator);
    }
}
