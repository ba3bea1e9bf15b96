using System.Numerics;
using System.Runtime.InteropServices;

namespace MirrorController.Protocol.Wire;

/// <summary>CRC-32C (Castagnoli, as in iSCSI and ext4), reflected, initial value and final xor all ones.</summary>
/// <remarks>
/// The processor's instruction takes 8 bytes but waits three cycles for the one before. So longer data is taken in three
/// lanes at once, whose states are joined by a table: a CRC is linear, and the table says what a lane of zeroes behind a
/// state makes of it.
/// </remarks>
public static class Crc32C
{
    /// <summary>The state before the first byte.</summary>
    public const uint Start = 0xFFFFFFFF;

    private const int LaneBytes = 1024;
    private const int LaneWords = LaneBytes / sizeof(ulong);
    private static readonly uint[] _laneOfZeroes = MakeTable();

    /// <summary>Computes the CRC of the bytes.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Finish(Append(Start, bytes));

    /// <summary>Ends a computation.</summary>
    public static uint Finish(uint state) => ~state;

    /// <summary>Takes bytes into the state.</summary>
    public static uint Append(uint state, ReadOnlySpan<byte> bytes)
    {
        if (!BitConverter.IsLittleEndian)
        {
            return AppendBytes(state, bytes);
        }

        while (bytes.Length >= 3 * LaneBytes)
        {
            var words = MemoryMarshal.Cast<byte, ulong>(bytes[..(3 * LaneBytes)]);
            var first = words[..LaneWords];
            var second = words.Slice(LaneWords, LaneWords);
            var third = words.Slice(2 * LaneWords, LaneWords);
            uint state2 = 0, state3 = 0;
            for (var i = 0; i < first.Length && i < second.Length && i < third.Length; i++)
            {
                state = BitOperations.Crc32C(state, first[i]);
                state2 = BitOperations.Crc32C(state2, second[i]);
                state3 = BitOperations.Crc32C(state3, third[i]);
            }

            state = PassLane(PassLane(state) ^ state2) ^ state3;
            bytes = bytes[(3 * LaneBytes)..];
        }

        foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes[..(bytes.Length & ~7)]))
        {
            state = BitOperations.Crc32C(state, word);
        }

        return AppendBytes(state, bytes[(bytes.Length & ~7)..]);
    }

    private static uint AppendBytes(uint state, ReadOnlySpan<byte> bytes)
    {
        foreach (var b in bytes)
        {
            state = BitOperations.Crc32C(state, b);
        }

        return state;
    }

    /// <summary>Moves a state over a lane of zeroes.</summary>
    private static uint PassLane(uint state)
    {
        var table = _laneOfZeroes;
        return table[(byte)state] ^ table[256 + (byte)(state >> 8)] ^ table[512 + (byte)(state >> 16)] ^ table[768 + (state >> 24)];
    }

    private static uint[] MakeTable()
    {
        Span<uint> ofBit = stackalloc uint[32];
        for (var bit = 0; bit < 32; bit++)
        {
            var state = 1u << bit;
            for (var i = 0; i < LaneWords; i++)
            {
                state = BitOperations.Crc32C(state, 0UL);
            }

            ofBit[bit] = state;
        }

        var table = new uint[4 * 256];
        for (var index = 0; index < table.Length; index++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                if ((index & (1 << bit)) != 0)
                {
                    table[index] ^= ofBit[(index / 256 * 8) + bit];
                }
            }
        }

        return table;
    }
}
