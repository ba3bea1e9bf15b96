using System.Buffers.Binary;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>Frames in a row, as bytes: made, and their checksums made right after damage.</summary>
internal static class FrameBytes
{
    private const int PayloadLengthAt = 8;
    private const int PayloadCrcAt = 12;
    private const int HeaderCrcAt = 84;

    /// <summary>Makes a frame.</summary>
    public static byte[] Make(FrameHeader header, byte[]? payload = null)
    {
        payload ??= [];
        header.PayloadLength = payload.Length;
        header.PayloadCrc = payload.Length == 0 ? 0 : Crc32C.Compute(payload);
        var bytes = new byte[FrameHeader.Size + payload.Length];
        header.WriteTo(bytes);
        payload.CopyTo(bytes, FrameHeader.Size);
        return bytes;
    }

    /// <summary>Makes the checksums of all frames right, as far as their lengths lead.</summary>
    /// <param name="bytes">Frames, each with <paramref name="prefix"/> bytes in front of it.</param>
    /// <param name="prefix">The bytes in front of each frame.</param>
    public static void Seal(Span<byte> bytes, int prefix = 0)
    {
        while (bytes.Length >= prefix + FrameHeader.Size)
        {
            bytes = bytes[prefix..];
            var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[PayloadLengthAt..]);
            var whole = length >= 0 && length <= bytes.Length - FrameHeader.Size;
            if (whole && length > 0)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(bytes[PayloadCrcAt..], Crc32C.Compute(bytes.Slice(FrameHeader.Size, length)));
            }

            BinaryPrimitives.WriteUInt32LittleEndian(bytes[HeaderCrcAt..], Crc32C.Compute(bytes[..HeaderCrcAt]));
            if (!whole)
            {
                return;
            }

            bytes = bytes[(FrameHeader.Size + length)..];
        }
    }
}
