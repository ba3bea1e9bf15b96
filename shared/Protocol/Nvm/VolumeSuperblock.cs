using System.Buffers.Binary;
using System.Text;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Nvm;

/// <summary>The record of a <see cref="VolumeRecord"/> in a superblock place.</summary>
/// <remarks>
/// Little-endian, <see cref="Size"/> bytes, two copies (<see cref="SuperblockPair"/>).
/// <code>
///   0   8  magic              "MirrCtlV"
///   8   2  version            1
///  10   1  copy               0 or 1: a write that went to the wrong address
///  11   1  slot               the same
///  12   4  CRC32C             of the chip identity, then all 640 bytes, this field zero: torn writes, rot, another chip's bytes
///  16   8  sequence           which copy is newer
///  24  16  volume id          against the directory: a removed volume's leftover
///  40   1  state              1 creating, 2 live: a half-made volume is never served
///  41   1  member             0 to 15
///  42   1  name length
///  43   1  flags              bit 0: must rewrite (R3); the others zero
///  44   4  block              bytes
///  48   8  size               bytes
///  56   8  size max           bytes
///  64  32  name               UTF-8, rest zero
///  96  12  session            number (4), id (8): fences older ones over a restart
/// 108  12  last coordinator   the same form: tells an authority's session from one that served
/// 120   8  stamp current      the disk is the one that left this board
/// 128   8  stamp next
/// 136   8  resync progress
/// 144   2  maps kept          bit n: a missed map for member n
/// 146   2  all missed         bit n: that map is to be read as all ones
/// 148  12  reserved           zero
/// 160 128  retired when left  16 tags: a member restored from an old image (O5a)
/// 288   2  view length        0 or 176
/// 290  14  reserved           zero
/// 304 256  view               with ancestors; room for a longer list
/// 560  80  reserved           zero
/// </code>
/// </remarks>
public static class VolumeSuperblock
{
    /// <summary>The encoded size in bytes.</summary>
    public const int Size = 640;

    /// <summary>The format that this version writes and the newest that it reads.</summary>
    public const ushort Version = 1;

    private const int CrcOffset = 12;
    private const int NameOffset = 64;
    private const int RetiredOffset = 160;
    private const int ViewLengthOffset = 288;
    private const int ViewOffset = 304;
    private const int ViewRoom = 256;
    private const byte MustRewriteFlag = 1;

    /// <summary>Gets the magic at the start of a copy.</summary>
    public static ReadOnlySpan<byte> Magic => "MirrCtlV"u8;

    /// <summary>Says what is wrong with a record, or null.</summary>
    public static string? Judge(VolumeRecord record)
    {
        var nameBytes = Encoding.UTF8.GetByteCount(record.Name);
        if (nameBytes is 0 or > VolumeRecord.NameBytesMax)
        {
            return $"A volume's name has 1 to {VolumeRecord.NameBytesMax} bytes, not {nameBytes}.";
        }

        if (!VolumeName.IsValid(record.Name))
        {
            return "A volume's name has letters, digits, '-', '_' and '.', and begins with a letter or digit.";
        }

        if (record.VolumeId == Guid.Empty)
        {
            return "A volume has an id that is not zero.";
        }

        if (record.State is not (VolumeState.Creating or VolumeState.Live))
        {
            return $"A volume is not in state {(int)record.State}.";
        }

        if (record.Member is < 0 or >= VolumeRecord.MembersMax)
        {
            return $"A member's number is 0 to {VolumeRecord.MembersMax - 1}, not {record.Member}.";
        }

        if (record.BlockBytes is < 512 or > 65536 || !System.Numerics.BitOperations.IsPow2(record.BlockBytes))
        {
            return $"A volume's block is a power of two from 512 to 65536 bytes, not {record.BlockBytes}.";
        }

        if (record.SizeBytes <= 0 || record.SizeBytes % record.BlockBytes != 0 || record.SizeMaxBytes < record.SizeBytes
            || record.SizeMaxBytes % record.BlockBytes != 0)
        {
            return $"A volume's size of {record.SizeBytes} bytes, growing to {record.SizeMaxBytes}, is no multiple of its block of {record.BlockBytes}.";
        }

        return record.RetiredWhenLeft.Count is 0 or VolumeRecord.MembersMax ? null : "A volume keeps retired marks for all members or for none.";
    }

    /// <summary>Writes a copy of <see cref="Size"/> bytes.</summary>
    public static void Write(Span<byte> target, VolumeRecord record, Guid chipId, int slot, int copy, ulong sequence)
    {
        var fault = Judge(record);
        if (fault is not null)
        {
            throw new ArgumentException(fault, nameof(record));
        }

        target = target[..Size];
        target.Clear();
        Magic.CopyTo(target);
        BinaryPrimitives.WriteUInt16LittleEndian(target[8..], Version);
        target[10] = (byte)copy;
        target[11] = (byte)slot;
        BinaryPrimitives.WriteUInt64LittleEndian(target[16..], sequence);
        _ = record.VolumeId.TryWriteBytes(target[24..], bigEndian: true, out _);
        target[40] = (byte)record.State;
        target[41] = (byte)record.Member;
        target[42] = (byte)Encoding.UTF8.GetBytes(record.Name, target[NameOffset..]);
        target[43] = record.MustRewrite ? MustRewriteFlag : (byte)0;
        BinaryPrimitives.WriteInt32LittleEndian(target[44..], record.BlockBytes);
        BinaryPrimitives.WriteInt64LittleEndian(target[48..], record.SizeBytes);
        BinaryPrimitives.WriteInt64LittleEndian(target[56..], record.SizeMaxBytes);
        record.Session.WriteTo(target[96..]);
        record.LastCoordinator.WriteTo(target[108..]);
        BinaryPrimitives.WriteUInt64LittleEndian(target[120..], record.StampCurrent);
        BinaryPrimitives.WriteUInt64LittleEndian(target[128..], record.StampNext);
        BinaryPrimitives.WriteUInt64LittleEndian(target[136..], record.ResyncProgress);
        BinaryPrimitives.WriteUInt16LittleEndian(target[144..], record.MapsKept);
        BinaryPrimitives.WriteUInt16LittleEndian(target[146..], record.AllMissed);
        for (var member = 0; member < record.RetiredWhenLeft.Count; member++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(target[(RetiredOffset + (8 * member))..], record.RetiredWhenLeft[member].Value);
        }

        if (record.View is not null)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(target[ViewLengthOffset..], View.Size);
            record.View.WriteTo(target[ViewOffset..]);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(target[CrcOffset..], Crc(target, chipId));
    }

    /// <summary>Reads and judges a copy.</summary>
    public static SuperblockState Read(
        ReadOnlySpan<byte> source,
        Guid chipId,
        int slot,
        int copy,
        out VolumeRecord? record,
        out ulong sequence,
        out ushort version)
    {
        record = null;
        sequence = 0;
        version = 0;
        source = source[..Size];
        if (!source.ContainsAnyExcept((byte)0) || !source.ContainsAnyExcept((byte)0xFF))
        {
            return SuperblockState.Blank;
        }

        if (!source.StartsWith(Magic))
        {
            return SuperblockState.Foreign;
        }

        version = BinaryPrimitives.ReadUInt16LittleEndian(source[8..]);
        sequence = BinaryPrimitives.ReadUInt64LittleEndian(source[16..]);
        Span<byte> scratch = stackalloc byte[Size];
        source.CopyTo(scratch);
        scratch.Slice(CrcOffset, 4).Clear();
        if (Crc(scratch, chipId) != BinaryPrimitives.ReadUInt32LittleEndian(source[CrcOffset..]) || source[10] != copy || source[11] != slot)
        {
            return SuperblockState.Damaged;
        }

        if (version > Version)
        {
            return SuperblockState.Newer;
        }

        if (version != Version || !TryDecode(source, out record))
        {
            return SuperblockState.Damaged;
        }

        return SuperblockState.Valid;
    }

    private static bool TryDecode(ReadOnlySpan<byte> source, out VolumeRecord? record)
    {
        record = null;
        var nameLength = source[42];
        var viewLength = BinaryPrimitives.ReadUInt16LittleEndian(source[ViewLengthOffset..]);
        if (nameLength is 0 or > VolumeRecord.NameBytesMax
            || (source[43] & ~MustRewriteFlag) != 0
            || viewLength is not (0 or View.Size)
            || source[(NameOffset + nameLength)..(NameOffset + VolumeRecord.NameBytesMax)].ContainsAnyExcept((byte)0)
            || source[148..160].ContainsAnyExcept((byte)0)
            || source[290..304].ContainsAnyExcept((byte)0)
            || source[(ViewOffset + viewLength)..(ViewOffset + ViewRoom)].ContainsAnyExcept((byte)0)
            || source[(ViewOffset + ViewRoom)..].ContainsAnyExcept((byte)0)
            || !SessionId.TryRead(source[96..], out var session)
            || !SessionId.TryRead(source[108..], out var lastCoordinator))
        {
            return false;
        }

        View? view = null;
        if (viewLength != 0 && !View.TryRead(source[ViewOffset..], out view, out _))
        {
            return false;
        }

        var retired = new Tag[VolumeRecord.MembersMax];
        for (var member = 0; member < retired.Length; member++)
        {
            retired[member] = new Tag(BinaryPrimitives.ReadUInt64LittleEndian(source[(RetiredOffset + (8 * member))..]));
        }

        var made = new VolumeRecord
        {
            VolumeId = new Guid(source.Slice(24, 16), bigEndian: true),
            Name = Encoding.UTF8.GetString(source.Slice(NameOffset, nameLength)),
            State = (VolumeState)source[40],
            Member = source[41],
            MustRewrite = (source[43] & MustRewriteFlag) != 0,
            BlockBytes = BinaryPrimitives.ReadInt32LittleEndian(source[44..]),
            SizeBytes = BinaryPrimitives.ReadInt64LittleEndian(source[48..]),
            SizeMaxBytes = BinaryPrimitives.ReadInt64LittleEndian(source[56..]),
            Session = session,
            LastCoordinator = lastCoordinator,
            StampCurrent = BinaryPrimitives.ReadUInt64LittleEndian(source[120..]),
            StampNext = BinaryPrimitives.ReadUInt64LittleEndian(source[128..]),
            ResyncProgress = BinaryPrimitives.ReadUInt64LittleEndian(source[136..]),
            MapsKept = BinaryPrimitives.ReadUInt16LittleEndian(source[144..]),
            AllMissed = BinaryPrimitives.ReadUInt16LittleEndian(source[146..]),
            RetiredWhenLeft = retired,
            View = view,
        };
        if (Judge(made) is not null)
        {
            return false;
        }

        record = made;
        return true;
    }

    private static uint Crc(ReadOnlySpan<byte> place, Guid chipId)
    {
        Span<byte> seed = stackalloc byte[16];
        _ = chipId.TryWriteBytes(seed, bigEndian: true, out _);
        return Crc32C.Finish(Crc32C.Append(Crc32C.Append(Crc32C.Start, seed), place));
    }
}
