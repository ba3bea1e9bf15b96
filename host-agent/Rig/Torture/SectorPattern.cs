using System.Buffers.Binary;
using System.Numerics;

namespace MirrorController.HostAgent.Rig.Torture;

/// <summary>What the load writes: each sector names the run, its place and its version, so a foreign or torn one is recognised.</summary>
/// <remarks>
/// <code>
/// offset size field (little-endian)
///      0    8 seed of the run
///      8    8 number of the sector
///     16    8 version: the number of the write
///     24  488 words that follow from the three above and from their own place
/// </code>
/// A sector of zeroes is version 0, that of a new volume.
/// </remarks>
internal static class SectorPattern
{
    /// <summary>What no disk tears.</summary>
    public const int SectorBytes = 512;

    private const int HeaderBytes = 24;
    private const ulong Step = 0x9E3779B97F4A7C15;

    /// <summary>Fills whole sectors.</summary>
    public static void Fill(Span<byte> bytes, ulong seed, long firstSector, long version)
    {
        for (var at = 0; at < bytes.Length; at += SectorBytes)
        {
            FillOne(bytes.Slice(at, SectorBytes), seed, firstSector + (at / SectorBytes), version);
        }
    }

    /// <summary>Reads which version a sector holds.</summary>
    /// <returns>False when it is none of this run's for this place, or torn; <paramref name="trouble"/> says which.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, ulong seed, long sector, out long version, out string? trouble)
    {
        trouble = null;
        version = 0;
        if (!bytes.ContainsAnyExcept((byte)0))
        {
            return true;
        }

        var foundSeed = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        var foundSector = BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]);
        version = BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]);
        if (foundSeed != seed)
        {
            trouble = "data that this run did not write";
            return false;
        }

        if (foundSector != sector)
        {
            trouble = $"the data of sector {foundSector}, version {version}";
            return false;
        }

        Span<byte> expected = stackalloc byte[SectorBytes];
        FillOne(expected, seed, sector, version);
        var same = bytes.CommonPrefixLength(expected);
        if (same != SectorBytes)
        {
            trouble = $"a torn sector: version {version} as far as byte {same}, then something else";
            return false;
        }

        return true;
    }

    private static void FillOne(Span<byte> bytes, ulong seed, long sector, long version)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, seed);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], sector);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[16..], version);
        var word = (seed * Step) ^ BitOperations.RotateLeft((ulong)sector * Step, 21) ^ BitOperations.RotateLeft((ulong)version * Step, 42);
        for (var at = HeaderBytes; at < SectorBytes; at += sizeof(ulong))
        {
            word += Step;
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[at..], word ^ (word >> 29));
        }
    }
}
