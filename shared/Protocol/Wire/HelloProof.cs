using System.Security.Cryptography;

namespace MirrorController.Protocol.Wire;

/// <summary>Proves the volume's secret in both directions without sending it: HMAC-SHA-256 over side, HELLO and the listener's nonce.</summary>
/// <remarks>Each side's proof covers both nonces (the caller's is in HELLO), so none can be replayed, and names its side, so none can be reflected.</remarks>
public static class HelloProof
{
    /// <summary>The size of a proof in bytes.</summary>
    public const int Size = 32;

    /// <summary>Computes the listener's proof.</summary>
    public static byte[] OfListener(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> helloBody, ReadOnlySpan<byte> listenerNonce) =>
        Compute(secret, "MirrorController listener"u8, helloBody, listenerNonce);

    /// <summary>Computes the caller's proof.</summary>
    public static byte[] OfCaller(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> helloBody, ReadOnlySpan<byte> listenerNonce) =>
        Compute(secret, "MirrorController caller"u8, helloBody, listenerNonce);

    /// <summary>Compares proofs in constant time.</summary>
    public static bool AreEqual(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => CryptographicOperations.FixedTimeEquals(a, b);

    private static byte[] Compute(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> side, ReadOnlySpan<byte> hello, ReadOnlySpan<byte> nonce)
    {
        var message = new byte[side.Length + nonce.Length + hello.Length];
        side.CopyTo(message);
        nonce.CopyTo(message.AsSpan(side.Length));
        hello.CopyTo(message.AsSpan(side.Length + nonce.Length));
        return HMACSHA256.HashData(secret, message);
    }
}
