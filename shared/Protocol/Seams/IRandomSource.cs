namespace MirrorController.Protocol.Seams;

/// <summary>Where random numbers come from: the system's generator, or a simulation's seed.</summary>
public interface IRandomSource
{
    /// <summary>Fills the span with random bytes.</summary>
    void Fill(Span<byte> bytes);
}

/// <summary>Numbers from a <see cref="IRandomSource"/>.</summary>
public static class RandomSourceExtensions
{
    /// <summary>Draws 64 random bits, never zero.</summary>
    public static ulong NextNonZero(this IRandomSource random)
    {
        Span<byte> bytes = stackalloc byte[8];
        ulong value;
        do
        {
            random.Fill(bytes);
            value = System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        }
        while (value == 0);

        return value;
    }

    /// <summary>Draws a number from 0 to below <paramref name="limit"/>, good enough for spacing attempts.</summary>
    public static int Next(this IRandomSource random, int limit) => (int)(random.NextNonZero() % (uint)limit);
}
