using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Unit.Runtime;

/// <summary>Checks that a long stream arrives as it was sent.</summary>
public sealed class PatternCheck(int salt)
{
    private const int PieceBytes = 200_000;

    public long Count { get; private set; }

    public static void Send(IConnection connection, int count, int salt)
    {
        ArgumentNullException.ThrowIfNull(connection);
        for (var offset = 0; offset < count; offset += PieceBytes)
        {
            var bytes = new byte[Math.Min(PieceBytes, count - offset)];
            for (var i = 0; i < bytes.Length; i++)
            {
                bytes[i] = At(offset + i, salt);
            }

            var slice = Slice.Copy(bytes);
            connection.Send(slice);
            slice.Release();
        }
    }

    public void Take(ReadOnlySpan<byte> bytes)
    {
        foreach (var b in bytes)
        {
            if (b != At(Count, salt))
            {
                Assert.Fail($"The byte at {Count} is wrong.");
            }

            Count++;
        }
    }

    private static byte At(long index, int salt) => (byte)((index * 31) ^ (index >> 11) ^ salt);
}
