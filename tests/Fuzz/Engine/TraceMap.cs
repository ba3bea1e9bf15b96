using System.Runtime.InteropServices;
using SharpFuzz.Common;

namespace MirrorController.Tests.Fuzz.Engine;

/// <summary>Which branches an input took, and which any input ever took: the counters that the instrumented code writes.</summary>
internal sealed unsafe class TraceMap
{
    private const int Size = 1 << 16;
    private readonly byte* _counts = (byte*)NativeMemory.AllocZeroed(Size);
    private readonly byte[] _known = new byte[Size];

    public TraceMap() => Trace.SharedMem = _counts;

    /// <summary>Gets how many branches were ever taken.</summary>
    public int Branches { get; private set; }

    /// <summary>Forgets what the last input took.</summary>
    public void Clear()
    {
        new Span<byte>(_counts, Size).Clear();
        Trace.PrevLocation = 0;
    }

    /// <summary>Takes in what the last input took; true if a branch, or how often it was taken, is new.</summary>
    public bool TakeIn()
    {
        var counts = new ReadOnlySpan<byte>(_counts, Size);
        var words = MemoryMarshal.Cast<byte, ulong>(counts);
        var isNew = false;
        for (var w = 0; w < words.Length; w++)
        {
            if (words[w] == 0)
            {
                continue;
            }

            for (var at = w * 8; at < (w * 8) + 8; at++)
            {
                var bucket = Bucket(counts[at]);
                if ((bucket & ~_known[at]) != 0)
                {
                    isNew = true;
                    Branches += _known[at] == 0 ? 1 : 0;
                    _known[at] |= bucket;
                }
            }
        }

        return isNew;
    }

    /// <summary>One bit for each of 1, 2, 3, 4-7, 8-15, 16-31, 32-127, more.</summary>
    private static byte Bucket(byte count) => count switch
    {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        < 8 => 8,
        < 16 => 16,
        < 32 => 32,
        < 128 => 64,
        _ => 128,
    };
}
