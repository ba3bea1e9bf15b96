using System.Buffers.Binary;

namespace MirrorController.Tests.Fuzz;

/// <summary>Damages inputs, by a seed: bits, lengths, places, order; then seals most of them.</summary>
public sealed class Mutator(FuzzTarget target, IReadOnlyList<byte[]> seeds, ulong seed)
{
    private const int StepsMax = 6;
    private static readonly long[] Extremes =
    [
        0, 1, 2, -1, -2, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 511, 512, 513, 4095, 4096, 4097,
        int.MaxValue, int.MinValue, int.MaxValue - 1, 1L << 31, uint.MaxValue, 1L << 32, long.MaxValue, long.MinValue, long.MaxValue - 1, 1L << 40, 1L << 62,
    ];

    private readonly Random _random = new((int)(seed ^ (seed >> 32)));

    /// <summary>Makes bytes of which nothing is known.</summary>
    public byte[] Anything()
    {
        // Short ones as often as long ones: most decoders have given up after a few bytes.
        var bytes = new byte[_random.Next(_random.Next(4) == 0 ? target.InputBytesMax + 1 : 65)];
        _random.NextBytes(bytes);
        return Sealed(bytes);
    }

    /// <summary>Makes a damaged copy of a valid input.</summary>
    public byte[] Damaged() => Damaged(seeds[_random.Next(seeds.Count)]);

    /// <summary>Makes a damaged copy of an input.</summary>
    public byte[] Damaged(byte[] from)
    {
        var bytes = from.ToList();
        for (var steps = _random.Next(1, StepsMax + 1); steps > 0; steps--)
        {
            Step(bytes);
        }

        if (bytes.Count > target.InputBytesMax && bytes.Count > from.Length)
        {
            bytes.RemoveRange(Math.Max(from.Length, target.InputBytesMax), bytes.Count - Math.Max(from.Length, target.InputBytesMax));
        }

        return Sealed([.. bytes]);
    }

    private byte[] Sealed(byte[] bytes)
    {
        if (_random.Next(8) != 0)
        {
            target.Seal(bytes);
        }

        return bytes;
    }

    private void Step(List<byte> bytes)
    {
        if (bytes.Count == 0)
        {
            bytes.Add((byte)_random.Next(256));
            return;
        }

        var at = Place(bytes.Count);
        switch (_random.Next(14))
        {
            case 0 or 1:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 2:
                bytes[at] = (byte)_random.Next(256);
                break;
            case 3:
                bytes[at] = (byte)(bytes[at] + _random.Next(-16, 17));
                break;
            case 4 or 5 or 6:
                Put(bytes, at, Extremes[_random.Next(Extremes.Length)] + (_random.Next(4) == 0 ? _random.Next(-8, 9) : 0));
                break;
            case 7:
                Put(bytes, at, bytes.Count - _random.Next(0, Math.Min(bytes.Count, 200) + 1));
                break;
            case 8:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 9:
                bytes.RemoveRange(at, Math.Min(Length(), bytes.Count - at));
                break;
            case 10:
                bytes.InsertRange(Place(bytes.Count), bytes.GetRange(at, Math.Min(Length(), bytes.Count - at)));
                break;
            case 11:
                Splice(bytes, at);
                break;
            case 12 when target.Words.Count > 0:
                Word(bytes, at);
                break;
            default:
                var noise = new byte[Length()];
                _random.NextBytes(noise);
                bytes.InsertRange(at, noise);
                break;
        }
    }

    /// <summary>The first bytes decide more than the last ones.</summary>
    private int Place(int count) => _random.Next(4) == 0 ? _random.Next(Math.Min(count, 96)) : _random.Next(count);

    private int Length() => _random.Next(8) == 0 ? _random.Next(1, 600) : _random.Next(1, 17);

    private void Put(List<byte> bytes, int at, long value)
    {
        var width = 1 << _random.Next(4);
        Span<byte> number = stackalloc byte[8];
        var isBig = _random.Next(2) == 0;
        if (isBig)
        {
            BinaryPrimitives.WriteInt64BigEndian(number, value);
            number = number[(8 - width)..];
        }
        else
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, value);
        }

        for (var i = 0; i < width && at + i < bytes.Count; i++)
        {
            bytes[at + i] = number[i];
        }
    }

    private void Splice(List<byte> bytes, int at)
    {
        var other = seeds[_random.Next(seeds.Count)];
        if (other.Length > 0)
        {
            var from = _random.Next(other.Length);
            bytes.RemoveRange(at, bytes.Count - at);
            bytes.AddRange(other[from..]);
        }
    }

    private void Word(List<byte> bytes, int at)
    {
        var word = target.Words[_random.Next(target.Words.Count)];
        if (_random.Next(2) == 0)
        {
            bytes.RemoveRange(at, Math.Min(word.Length, bytes.Count - at));
        }

        bytes.InsertRange(at, word);
    }
}
