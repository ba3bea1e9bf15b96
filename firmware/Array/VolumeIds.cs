using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <summary>The volume's id as the chip keeps it and as the wire carries it: the same 16 bytes.</summary>
internal static class VolumeIds
{
    public static VolumeId FromGuid(Guid guid)
    {
        Span<byte> bytes = stackalloc byte[VolumeId.Size];
        guid.TryWriteBytes(bytes);
        return VolumeId.Read(bytes);
    }

    public static Guid ToGuid(VolumeId id)
    {
        Span<byte> bytes = stackalloc byte[VolumeId.Size];
        id.WriteTo(bytes);
        return new Guid(bytes);
    }
}
