using System.Security.Cryptography;
using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime;

/// <summary>Random numbers from the system's generator.</summary>
public sealed class SystemRandom : IRandomSource
{
    /// <inheritdoc/>
    public void Fill(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);
}
