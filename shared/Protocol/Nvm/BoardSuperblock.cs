using System.Buffers.Binary;
using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Nvm;

/// <summary>The board-wide superblock of a memory chip: its identity, its division, where the log begins.</summary>
/// <remarks>
/// Little-endian, <see cref="Size"/> bytes, two copies (<see cref="SuperblockPair"/>). Magic, version, CRC and sequence stay where they are in all versions.
/// <code>
///   0   8  magic           "MirrCtlB": not another program's chip
///   8   2  version         1: a newer format is refused, not guessed at
///  10   1  copy            0 or 1: a write that went to the wrong address
///  11   1  volumesMax      the division of the ring
///  12   4  CRC32C          of all 256 bytes, this field zero: torn writes, rot
///  16   8  sequence        which copy is newer
///  24  16  chip identity   random, drawn when formatting: seeds every other CRC, so nothing of an earlier life is valid
///  40   4  chip size       bytes: an image on another chip
///  44   4  page            bytes: another kind of chip, another layout
///  48   4  ring offset     judged against the layout
///  52   4  ring length
///  56   8  start counter   in force when this was written: a log that lost its starts
///  64   8  head position   64 bits; the scan starts here
///  72   4  head offset     head position within the ring: judged against it
///  76   4  reserved        zero
///  80   8  head counter    start counter in force in front of the head
///  88 128  directory       8 volume ids of 16 bytes, zero = free: which slots exist
/// 216  40  reserved        zero
/// </code>
/// </remarks>
public sealed record BoardSuperblock
{
    /// <summary>The encoded size in bytes.</summary>
    public const int Size = 256;

    /// <summary>The format that this version writes and the newest that it reads.</summary>
    public const ushort Version = 1;

    /// <summary>No chip lives to be written so often: beyond it a head's position is damage, and sums with it would overflow.</summary>
    private const long HeadPositionMax = 1L << 60;

    internal const int CrcOffset = 12;
    private const int DirectoryOffset = 88;
    private const int ReservedOffset = DirectoryOffset + (16 * NvmLayout.VolumesMax);

    /// <summary>Gets the magic at the start of a copy.</summary>
    public static ReadOnlySpan<byte> Magic => "MirrCtlB"u8;

    /// <summary>Gets the number that tells which copy is newer.</summary>
    public ulong Sequence { get; init; }

    /// <summary>Gets the random identity drawn when the chip was formatted.</summary>
    public Guid ChipId { get; init; }

    /// <summary>Gets the chip's size in bytes.</summary>
    public int ChipBytes { get; init; }

    /// <summary>Gets the chip's page in bytes.</summary>
    public int PageBytes { get; init; }

    /// <summary>Gets the number of volumes the chip is divided for.</summary>
    public int VolumesMax { get; init; }

    /// <summary>Gets where the ring begins.</summary>
    public int RingOffset { get; init; }

    /// <summary>Gets the ring's length.</summary>
    public int RingBytes { get; init; }

    /// <summary>Gets the start counter in force when this superblock was written.</summary>
    public ulong StartCounter { get; init; }

    /// <summary>Gets the log position at which the scan starts: the start of a segment.</summary>
    public long HeadPosition { get; init; }

    /// <summary>Gets the start counter in force in front of the head.</summary>
    public ulong HeadCounter { get; init; }

    /// <summary>Gets the ids of the volumes by slot; <see cref="Guid.Empty"/> where there is none.</summary>
    public required IReadOnlyList<Guid> Directory { get; init; }

    /// <summary>Writes a copy of <see cref="Size"/> bytes.</summary>
    public void WriteTo(Span<byte> target, int copy)
    {
        target = target[..Size];
        target.Clear();
        Magic.CopyTo(target);
        BinaryPrimitives.WriteUInt16LittleEndian(target[8..], Version);
        target[10] = (byte)copy;
        target[11] = (byte)VolumesMax;
        BinaryPrimitives.WriteUInt64LittleEndian(target[16..], Sequence);
        _ = ChipId.TryWriteBytes(target[24..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt32LittleEndian(target[40..], ChipBytes);
        BinaryPrimitives.WriteInt32LittleEndian(target[44..], PageBytes);
        BinaryPrimitives.WriteInt32LittleEndian(target[48..], RingOffset);
        BinaryPrimitives.WriteInt32LittleEndian(target[52..], RingBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(target[56..], StartCounter);
        BinaryPrimitives.WriteInt64LittleEndian(target[64..], HeadPosition);
        BinaryPrimitives.WriteInt32LittleEndian(target[72..], (int)(HeadPosition % RingBytes));
        BinaryPrimitives.WriteUInt64LittleEndian(target[80..], HeadCounter);
        for (var slot = 0; slot < VolumesMax; slot++)
        {
            _ = Directory[slot].TryWriteBytes(target[(DirectoryOffset + (16 * slot))..], bigEndian: true, out _);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(target[CrcOffset..], Crc32C.Compute(target));
    }

    /// <summary>Reads and judges a copy.</summary>
    /// <param name="source">Exactly <see cref="Size"/> bytes.</param>
    /// <param name="copy">Which copy it should be.</param>
    /// <param name="superblock">The superblock, if it is valid.</param>
    /// <param name="sequence">Its sequence, if it is valid or newer.</param>
    /// <param name="version">Its format, if it has our magic.</param>
    public static SuperblockState Read(ReadOnlySpan<byte> source, int copy, out BoardSuperblock? superblock, out ulong sequence, out ushort version)
    {
        superblock = null;
        sequence = 0;
        version = 0;
        if (!source.ContainsAnyExcept((byte)0) || !source.ContainsAnyExcept((byte)0xFF))
        {
            return SuperblockState.Blank;
        }

        if (!source.StartsWith(Magic))
        {
            return IsTornFirstWrite(source) ? SuperblockState.Damaged : SuperblockState.Foreign;
        }

        version = BinaryPrimitives.ReadUInt16LittleEndian(source[8..]);
        sequence = BinaryPrimitives.ReadUInt64LittleEndian(source[16..]);
        if (version > Version && !IsHalfErased(version))
        {
            // Also with a wrong CRC: what may be a newer program's is never called blank.
            return SuperblockState.Newer;
        }

        Span<byte> scratch = stackalloc byte[Size];
        source.CopyTo(scratch);
        scratch.Slice(CrcOffset, 4).Clear();
        if (Crc32C.Compute(scratch) != BinaryPrimitives.ReadUInt32LittleEndian(source[CrcOffset..])
            || version != Version
            || source[10] != copy
            || source[11] is 0 or > NvmLayout.VolumesMax
            || source[ReservedOffset..].ContainsAnyExcept((byte)0)
            || source[76..80].ContainsAnyExcept((byte)0))
        {
            return SuperblockState.Damaged;
        }

        var directory = new Guid[source[11]];
        for (var slot = 0; slot < directory.Length; slot++)
        {
            directory[slot] = new Guid(source.Slice(DirectoryOffset + (16 * slot), 16), bigEndian: true);
        }

        superblock = new BoardSuperblock
        {
            Sequence = sequence,
            ChipId = new Guid(source.Slice(24, 16), bigEndian: true),
            ChipBytes = BinaryPrimitives.ReadInt32LittleEndian(source[40..]),
            PageBytes = BinaryPrimitives.ReadInt32LittleEndian(source[44..]),
            VolumesMax = source[11],
            RingOffset = BinaryPrimitives.ReadInt32LittleEndian(source[48..]),
            RingBytes = BinaryPrimitives.ReadInt32LittleEndian(source[52..]),
            StartCounter = BinaryPrimitives.ReadUInt64LittleEndian(source[56..]),
            HeadPosition = BinaryPrimitives.ReadInt64LittleEndian(source[64..]),
            HeadCounter = BinaryPrimitives.ReadUInt64LittleEndian(source[80..]),
            Directory = directory,
        };
        var headOffset = BinaryPrimitives.ReadInt32LittleEndian(source[72..]);
        if (superblock.RingBytes <= 0 || superblock.HeadPosition is < 0 or > HeadPositionMax || superblock.HeadPosition % superblock.RingBytes != headOffset)
        {
            superblock = null;
            return SuperblockState.Damaged;
        }

        return SuperblockState.Valid;
    }

    /// <summary>A power cut within the format's two bytes: one of them is still that of an erased chip, which no format's number has.</summary>
    private static bool IsHalfErased(ushort version) => version >> 8 == 0xFF || (version & 0xFF) == 0xFF;

    /// <summary>A power cut within the first eight bytes of a chip's first superblock: a part of the magic, and nothing else.</summary>
    private static bool IsTornFirstWrite(ReadOnlySpan<byte> source)
    {
        var prefix = source.CommonPrefixLength(Magic);
        var rest = source[prefix..];
        return prefix > 0 && (!rest.ContainsAnyExcept((byte)0) || !rest.ContainsAnyExcept((byte)0xFF));
    }
}
