using System.Buffers.Binary;
using MirrorController.Protocol.Seams;

namespace MirrorController.Firmware.Devices;

/// <summary>Random numbers that follow from a seed, for the emulations: the same seed gives the same power losses.</summary>
/// <remarks>SplitMix64. Never used for identities or secrets.</remarks>
internal sealed class SeededRandom(ulong seed) : IRandomSource
{
    private ulong _state = seed;

    /// <inheritdoc/>
    public void Fill(Span<byte> bytes)
    {
        Span<byte> word = stackalloc byte[sizeof(ulong)];
        while (!bytes.IsEmpty)
        {
            _state += 0x9E3779B97F4A7C15;
            var z = _state;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            BinaryPrimitives.WriteUInt64LittleEndian(word, z ^ (z >> 31));
            var n = Math.Min(bytes.Length, word.Length);
            word[..n].CopyTo(bytes);
            bytes = bytes[n..];
        }
    }
}
