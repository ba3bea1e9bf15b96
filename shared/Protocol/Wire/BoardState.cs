using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;

namespace MirrorController.Protocol.Wire;

/// <summary>What a board is good for.</summary>
public enum BoardCondition : byte
{
    /// <summary>It holds the volume's member.</summary>
    Member = 0,

    /// <summary>Chip and disk are blank: it waits for a creation.</summary>
    Blank = 1,

    /// <summary>Chip or disk hold something foreign or damaged; nothing is written to them.</summary>
    Unusable = 2,

    /// <summary>Its chip fails, or its disk is not there; what it holds may be good.</summary>
    Failed = 3,
}

/// <summary>A board's own account of itself: the answer to SURVEY and the head of the answer to ATTACH.</summary>
public sealed record BoardState
{
    public string Board { get; init; } = string.Empty;

    public BoardCondition Condition { get; init; }

    /// <summary>Gets why the condition is not <see cref="BoardCondition.Member"/>, one sentence; else empty.</summary>
    public string Reason { get; init; } = string.Empty;

    public ulong BootId { get; init; }

    public ulong StartCounter { get; init; }

    public VolumeId Volume { get; init; }

    public string VolumeName { get; init; } = string.Empty;

    public ushort Member { get; init; }

    public int BlockBytes { get; init; }

    public long SizeBytes { get; init; }

    public SessionId Session { get; init; }

    /// <summary>Gets the last session of a coordinator (not of an authority).</summary>
    public SessionId CoordinatorSession { get; init; }

    public Tag Durable { get; init; }

    public Tag Retired { get; init; }

    public int CapacityEntries { get; init; }

    public int Entries { get; init; }

    public int Marks { get; init; }

    /// <summary>Gets whether the board may be read (rule B4).</summary>
    public bool ReplayDone { get; init; }

    public View? View { get; init; }

    public string NvmKind { get; init; } = string.Empty;

    public int NvmSizeBytes { get; init; }

    public int NvmUsedBytes { get; init; }

    public ulong NvmBytesWritten { get; init; }

    public ulong NvmBytesOverhead { get; init; }

    public ulong NvmCommits { get; init; }

    public string Disk { get; init; } = string.Empty;

    public long DiskBytes { get; init; }

    public long DataOffsetBytes { get; init; }

    /// <summary>Writes the body.</summary>
    public void WriteTo(WireWriter writer)
    {
        Span<byte> id = stackalloc byte[VolumeId.Size];
        Volume.WriteTo(id);
        writer.Text(Board).U8((byte)Condition).Text(Reason).U64(BootId).U64(StartCounter).Bytes(id).Text(VolumeName)
            .U16(Member).I32(BlockBytes).I64(SizeBytes).U32(Session.Number).U64(Session.Id)
            .U32(CoordinatorSession.Number).U64(CoordinatorSession.Id).U64(Durable.Value).U64(Retired.Value)
            .I32(CapacityEntries).I32(Entries).I32(Marks).U8(ReplayDone ? (byte)1 : (byte)0)
            .Text(NvmKind).I32(NvmSizeBytes).I32(NvmUsedBytes).U64(NvmBytesWritten).U64(NvmBytesOverhead).U64(NvmCommits)
            .Text(Disk).I64(DiskBytes).I64(DataOffsetBytes).U8(View is null ? (byte)0 : (byte)1);
        if (View is not null)
        {
            Span<byte> view = stackalloc byte[View.Size];
            View.WriteTo(view);
            writer.Bytes(view);
        }
    }

    /// <summary>Reads a body.</summary>
    /// <returns>Null if it is malformed.</returns>
    public static BoardState? Read(WireReader reader)
    {
        var state = new BoardState
        {
            Board = reader.Text(),
            Condition = (BoardCondition)reader.U8(),
            Reason = reader.Text(),
            BootId = reader.U64(),
            StartCounter = reader.U64(),
            Volume = VolumeId.Read(reader.Bytes(VolumeId.Size)),
            VolumeName = reader.Text(),
            Member = reader.U16(),
            BlockBytes = reader.I32(),
            SizeBytes = reader.I64(),
            Session = new SessionId(reader.U32(), reader.U64()),
            CoordinatorSession = new SessionId(reader.U32(), reader.U64()),
            Durable = new Tag(reader.U64()),
            Retired = new Tag(reader.U64()),
            CapacityEntries = reader.I32(),
            Entries = reader.I32(),
            Marks = reader.I32(),
            ReplayDone = reader.U8() == 1,
            NvmKind = reader.Text(),
            NvmSizeBytes = reader.I32(),
            NvmUsedBytes = reader.I32(),
            NvmBytesWritten = reader.U64(),
            NvmBytesOverhead = reader.U64(),
            NvmCommits = reader.U64(),
            Disk = reader.Text(),
            DiskBytes = reader.I64(),
            DataOffsetBytes = reader.I64(),
        };
        if (reader.U8() == 1)
        {
            if (!View.TryRead(reader.Bytes(View.Size), out var view, out _))
            {
                return null;
            }

            state = state with { View = view };
        }

        return reader.IsBad || !state.IsSound ? null : state;
    }

    /// <summary>Gets whether this can be a board's state: a member has a number and a geometry that a volume can have.</summary>
    private bool IsSound =>
        Condition <= BoardCondition.Failed && Session.Number <= SessionId.MaxNumber && CoordinatorSession.Number <= SessionId.MaxNumber
        && (Condition != BoardCondition.Member
            || (Member < MemberSet.CountMax && BlockBytes is 512 or 1024 or 2048 or 4096 && SizeBytes > 0 && SizeBytes % BlockBytes == 0
                && CapacityEntries >= 0));
}
