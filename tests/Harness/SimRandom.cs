using System.Buffers.Binary;
using System.Numerics;
using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>A simulation's random numbers: xoshiro256** from one seed, the same on every runtime.</summary>
public sealed class SimRandom : IRandomSource
{
    private ulong _a;
    private ulong _b;
    private ulong _c;
    private ulong _d;

    public SimRandom(ulong seed)
    {
        _a = Mix(ref seed);
        _b = Mix(ref seed);
        _c = Mix(ref seed);
        _d = Mix(ref seed);
    }

    /// <summary>Makes the source of one named thing in a seed's world: what it draws depends on nothing that happened before.</summary>
    public static SimRandom For(ulong seed, string name)
    {
        const ulong FnvBasis = 0xCBF29CE484222325;
        const ulong FnvPrime = 0x100000001B3;
        var hash = FnvBasis;
        foreach (var c in name)
        {
            hash = (hash ^ c) * FnvPrime;
        }

        return new SimRandom(Mix(ref seed) ^ hash);
    }

    public ulong NextBits()
    {
        var result = BitOperations.RotateLeft(_b * 5, 7) * 9;
        var t = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= t;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>Draws a number from 0 to below the limit.</summary>
    public long Below(long limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        return (long)(NextBits() % (ulong)limit);
    }

    /// <summary>Draws a number from 0 to below the limit.</summary>
    public int Below(int limit) => (int)Below((long)limit);

    /// <summary>Draws a number within both bounds.</summary>
    public long Between(long min, long max) => min + Below(max - min + 1);

    /// <summary>Draws true once in so many times.</summary>
    public bool OneIn(int times) => Below(times) == 0;

    /// <summary>Makes a source of its own, so that what it draws does not depend on who else draws.</summary>
    public SimRandom Fork() => new(NextBits());

    public void Fill(Span<byte> bytes)
    {
        Span<byte> eight = stackalloc byte[8];
        while (!bytes.IsEmpty)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(eight, NextBits());
            var n = Math.Min(8, bytes.Length);
            eight[..n].CopyTo(bytes);
            bytes = bytes[n..];
        }
    }

    // splitmix64: spreads a small seed over the whole state.
    private static ulong Mix(ref ulong seed)
    {
        seed += 0x9E3779B97F4A7C15;
        var z = seed;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
