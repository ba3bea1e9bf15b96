using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;

namespace MirrorController.Protocol.Nvm;

/// <summary>How far a volume's member on this board is.</summary>
public enum VolumeState
{
    /// <summary>Its creation has begun and is not complete: begun anew at the next CREATE.</summary>
    Creating = 1,

    /// <summary>It exists.</summary>
    Live = 2,
}

/// <summary>What a board keeps about a volume beside its log: who it is, which session and view are in force. Immutable.</summary>
/// <remarks>Kept in the volume's superblock pair; session and view are in both copies before anything is answered that depends on them.</remarks>
public sealed record VolumeRecord
{
    /// <summary>The longest name in bytes of UTF-8.</summary>
    public const int NameBytesMax = 32;

    /// <summary>The most members a volume has.</summary>
    public const int MembersMax = 16;

    /// <summary>Gets the volume's identity.</summary>
    public required Guid VolumeId { get; init; }

    /// <summary>Gets the volume's name, at most <see cref="NameBytesMax"/> bytes of UTF-8.</summary>
    public required string Name { get; init; }

    /// <summary>Gets how far the member is.</summary>
    public VolumeState State { get; init; } = VolumeState.Creating;

    /// <summary>Gets this member's number, 0 to 15.</summary>
    public int Member { get; init; }

    /// <summary>Gets the block in bytes.</summary>
    public int BlockBytes { get; init; } = 4096;

    /// <summary>Gets the size in bytes.</summary>
    public long SizeBytes { get; init; }

    /// <summary>Gets the size in bytes that the volume may grow to; fixed at creation.</summary>
    public long SizeMaxBytes { get; init; }

    /// <summary>Gets the session in force (rules O1, W3).</summary>
    public SessionId Session { get; init; }

    /// <summary>Gets the last session of a coordinator, which an authority's does not replace (rule R8).</summary>
    public SessionId LastCoordinator { get; init; }

    /// <summary>Gets the stamp that the disk's label has; 0: none yet.</summary>
    public ulong StampCurrent { get; init; }

    /// <summary>Gets the stamp that the label is being given; 0: none.</summary>
    public ulong StampNext { get; init; }

    /// <summary>Gets whether a sync of this member failed since it was last in sync: everything planned is written, equal or not (rule R3).</summary>
    public bool MustRewrite { get; init; }

    /// <summary>Gets the progress of a resync that this member is the target of; 0: none.</summary>
    public ulong ResyncProgress { get; init; }

    /// <summary>Gets the members whose missed map on this disk is to be read as 'all missed'.</summary>
    public ushort AllMissed { get; init; }

    /// <summary>Gets the members for which this disk keeps a missed map.</summary>
    public ushort MapsKept { get; init; }

    /// <summary>Gets, per member, the retired mark that was in force when it left (rule O5a); empty or <see cref="MembersMax"/> long.</summary>
    public IReadOnlyList<Tag> RetiredWhenLeft { get; init; } = [];

    /// <summary>Gets the view in force, with the ids of its ancestors; null until the first one is stored.</summary>
    public View? View { get; init; }
}
