using System.Numerics;
using System.Runtime.InteropServices;

namespace MirrorController.Tests.Harness;

/// <summary>A sum over a state, 64 bits: equal states have equal sums, others practically never.</summary>
public struct SimStateHash
{
    private const ulong Factor = 0x9E3779B97F4A7C15;

    /// <summary>Gets the sum so far.</summary>
    public ulong Value { get; private set; }

    public void Add(ulong number)
    {
        var mixed = (Value ^ number ^ (number >> 29)) * Factor;
        Value = BitOperations.RotateLeft(mixed, 27) ^ (mixed >> 31);
    }

    /// <summary>Adds bytes with their length; null is another thing than none.</summary>
    public void Add(byte[]? bytes)
    {
        if (bytes is null)
        {
            Add(ulong.MaxValue);
            return;
        }

        Add((ReadOnlySpan<byte>)bytes);
    }

    /// <summary>Adds bytes with their length.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        Add((ulong)bytes.Length);
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
        {
            Add(word);
        }

        foreach (var rest in bytes[(words.Length * sizeof(ulong))..])
        {
            Add((ulong)rest);
        }
    }

    public void Add(string text)
    {
        Add((ulong)text.Length);
        foreach (var c in text)
        {
            Add((ulong)c);
        }
    }
}
