using System.Buffers.Binary;

namespace MirrorController.Protocol.Wire;

/// <summary>The 128 random bits that name a volume for ever.</summary>
public readonly record struct VolumeId(ulong High, ulong Low)
{
    /// <summary>The size in bytes.</summary>
    public const int Size = 16;

    /// <summary>No volume.</summary>
    public static readonly VolumeId None;

    /// <summary>Gets whether this names no volume.</summary>
    public bool IsNone => High == 0 && Low == 0;

    /// <summary>Gets the four bytes that every frame carries against mistaken volumes.</summary>
    public uint Key => (uint)High;

    /// <summary>Writes the id.</summary>
    public void WriteTo(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, High);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], Low);
    }

    /// <summary>Reads an id.</summary>
    public static VolumeId Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));

    /// <inheritdoc/>
    public override string ToString() => $"{High:x16}{Low:x16}";
}
