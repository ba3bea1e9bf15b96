using System.Buffers.Binary;
using System.Text;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <summary>What a place of a label turned out to hold; of two copies the later in this order counts.</summary>
internal enum LabelState
{
    /// <summary>Wholly 0x00 or wholly 0xFF: no label. Whether the disk was ever used this does not tell.</summary>
    Blank,

    /// <summary>No magic of ours.</summary>
    Foreign,

    /// <summary>Ours, torn or damaged.</summary>
    Damaged,

    /// <summary>Ours, by a newer version.</summary>
    Newer,

    /// <summary>Ours and whole.</summary>
    Valid,
}

/// <summary>The label of a member's disk: whose disk it is, its chip, and where the data begins. All numbers little-endian.</summary>
/// <remarks>
/// Two copies, at 0 and at 64 KiB, each in a place of 4096 bytes, written one after the other with a flush between.
/// <code>
/// offset size field            protects against
///      0    8 magic "MirrCtlL" a foreign disk taken for ours
///      8    2 version          a newer format misread
///     10    2 copy             a copy put in the other's place
///     12    4 block bytes
///     16   16 volume id        another volume's disk
///     32   32 volume name      (UTF-8, padded with zeroes)
///     64    2 member           members exchanged
///     66    6 reserved         zero, checked
///     72    8 size in bytes
///     80    8 largest size     maps too small after growing
///     88   16 chip identity    a disk put beside another chip: they are a pair
///    104    8 stamp            a clone or restored image (kept for a later version; 0 now)
///    112    8 sequence         the older copy taken for the newer
///    120    8 maps offset      where the missed maps begin (kept for a later version)
///    128    8 data offset      where block 0 begins, on a boundary of 1 MiB
///    136  372 reserved         zero, checked
///    508    4 CRC32C           over bytes 0..507
/// </code>
/// </remarks>
internal sealed record DiskLabel
{
    /// <summary>The size of a label in bytes; what no disk tears.</summary>
    public const int Size = 512;

    /// <summary>The format's version.</summary>
    public const ushort Version = 1;

    /// <summary>The room that a copy has.</summary>
    public const int PlaceBytes = 4096;

    /// <summary>The places of the two copies.</summary>
    public const long SecondCopyOffset = 64 * 1024;

    /// <summary>Up to where the places of the labels reach.</summary>
    public const long HeadBytesMin = SecondCopyOffset + PlaceBytes;

    /// <summary>Where the missed maps begin.</summary>
    public const long MapsOffset = 128 * 1024;

    private const int MapPageBytes = 4096;
    private const int MapPageUsed = 4080;
    private const long DataBoundary = 1024 * 1024;

    /// <summary>Missed maps are kept for this many other members, two copies of each.</summary>
    private const int MapsMax = 4;

    public static ReadOnlySpan<byte> Magic => "MirrCtlL"u8;

    public required VolumeId Volume { get; init; }

    public required string Name { get; init; }

    public required int Member { get; init; }

    public required int BlockBytes { get; init; }

    public required long SizeBytes { get; init; }

    public required long SizeMaxBytes { get; init; }

    public required Guid ChipId { get; init; }

    public ulong Stamp { get; init; }

    public ulong Sequence { get; init; } = 1;

    public required long DataOffsetBytes { get; init; }

    /// <summary>Gets where the data of a volume begins: behind labels and missed maps of the largest size, on a boundary of 1 MiB.</summary>
    public static long DataOffsetFor(long sizeMaxBytes, int blockBytes)
    {
        var mapBytes = ((sizeMaxBytes / blockBytes) + 7) / 8;
        var pages = (mapBytes + MapPageUsed - 1) / MapPageUsed;
        var end = MapsOffset + (pages * MapPageBytes * MapsMax * 2);
        return (end + DataBoundary - 1) / DataBoundary * DataBoundary;
    }

    /// <summary>Writes a copy.</summary>
    public void WriteTo(Span<byte> bytes, int copy)
    {
        bytes = bytes[..Size];
        bytes.Clear();
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[8..], Version);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[10..], (ushort)copy);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], BlockBytes);
        Volume.WriteTo(bytes[16..]);
        Encoding.UTF8.GetBytes(Name, bytes.Slice(32, VolumeName.LengthMax));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[64..], (ushort)Member);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[72..], SizeBytes);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[80..], SizeMaxBytes);
        ChipId.TryWriteBytes(bytes[88..]);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[104..], Stamp);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[112..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[120..], MapsOffset);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[128..], DataOffsetBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[508..], Crc32C.Compute(bytes[..508]));
    }

    /// <summary>Reads a copy.</summary>
    public static LabelState Read(ReadOnlySpan<byte> bytes, int copy, out DiskLabel? label)
    {
        label = null;
        bytes = bytes[..Size];
        if (!bytes[..8].SequenceEqual(Magic))
        {
            return bytes.IndexOfAnyExcept((byte)0) < 0 || bytes.IndexOfAnyExcept((byte)0xFF) < 0 ? LabelState.Blank : LabelState.Foreign;
        }

        var version = BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[508..]) != Crc32C.Compute(bytes[..508]))
        {
            return LabelState.Damaged;
        }

        if (version > Version)
        {
            return LabelState.Newer;
        }

        var name = Encoding.UTF8.GetString(bytes.Slice(32, VolumeName.LengthMax)).TrimEnd('\0');
        label = new DiskLabel
        {
            Volume = VolumeId.Read(bytes[16..]),
            Name = name,
            Member = BinaryPrimitives.ReadUInt16LittleEndian(bytes[64..]),
            BlockBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]),
            SizeBytes = BinaryPrimitives.ReadInt64LittleEndian(bytes[72..]),
            SizeMaxBytes = BinaryPrimitives.ReadInt64LittleEndian(bytes[80..]),
            ChipId = new Guid(bytes.Slice(88, 16)),
            Stamp = BinaryPrimitives.ReadUInt64LittleEndian(bytes[104..]),
            Sequence = BinaryPrimitives.ReadUInt64LittleEndian(bytes[112..]),
            DataOffsetBytes = BinaryPrimitives.ReadInt64LittleEndian(bytes[128..]),
        };
        var isSound = BinaryPrimitives.ReadUInt16LittleEndian(bytes[10..]) == copy
            && bytes.Slice(66, 6).IndexOfAnyExcept((byte)0) < 0 && bytes[136..508].IndexOfAnyExcept((byte)0) < 0
            && VolumeName.IsValid(name) && label.BlockBytes is 512 or 1024 or 2048 or 4096 && label.SizeBytes > 0 && label.SizeBytes % label.BlockBytes == 0
            && label.SizeMaxBytes >= label.SizeBytes && label.DataOffsetBytes == DataOffsetFor(label.SizeMaxBytes, label.BlockBytes);
        if (!isSound)
        {
            label = null;
            return LabelState.Damaged;
        }

        return LabelState.Valid;
    }
}
