using MirrorController.Protocol.Seams;

namespace MirrorController.Protocol.Wire;

/// <summary>Sends frames on a connection.</summary>
public static class FrameSender
{
    /// <summary>Sends a frame whose payload is already a <see cref="Payload"/>; nothing is copied.</summary>
    public static void SendFrame(this IConnection connection, ref FrameHeader header, Payload? payload = null)
    {
        header.PayloadLength = payload?.Length ?? 0;
        header.PayloadCrc = payload?.Crc ?? 0;
        header.WriteTo(connection.Reserve(FrameHeader.Size));
        if (payload is not null)
        {
            foreach (var slice in payload.Slices)
            {
                connection.Send(slice);
            }
        }
    }

    /// <summary>Sends a frame with a payload of bytes that are copied: for everything but data.</summary>
    public static void SendFrame(this IConnection connection, ref FrameHeader header, ReadOnlySpan<byte> body)
    {
        header.PayloadLength = body.Length;
        header.PayloadCrc = body.IsEmpty ? 0 : Crc32C.Compute(body);
        header.WriteTo(connection.Reserve(FrameHeader.Size));
        if (!body.IsEmpty)
        {
            var slice = Slice.Copy(body);
            connection.Send(slice);
            slice.Release();
        }
    }
}
