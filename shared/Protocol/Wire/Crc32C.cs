using System.Buffers.Binary;
using System.Numerics;

namespace MirrorController.Protocol.Wire;

/// <summary>CRC-32C (Castagnoli, as in iSCSI and ext4), reflected, initial value and final xor all ones.</summary>
public static class Crc32C
{
    /// <summary>The state before the first byte.</summary>
    public const uint Start = 0xFFFFFFFF;

    /// <summary>Computes the CRC of the bytes.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Finish(Append(Start, bytes));

    /// <summary>Ends a computation.</summary>
    public static uint Finish(uint state) => ~state;

    /// <summary>Takes bytes into the state.</summary>
    public static uint Append(uint state, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 8)
        {
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }

        foreach (var b in bytes)
        {
            state = BitOperations.Crc32C(state, b);
        }

        return state;
    }
}
