using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>One request of a scripted application and how it ended.</summary>
public sealed class SimRequest : IVolumeCompletion
{
    /// <summary>Gets whether the request has ended.</summary>
    public bool IsDone { get; private set; }

    public VolumeError Error { get; private set; }

    /// <summary>Gets what a read returned.</summary>
    public byte[] Data { get; private set; } = [];

    /// <summary>Gets or sets the life of the node that the request was given to; null where a script does not care.</summary>
    public SimLoop? Owner { get; set; }

    /// <summary>Gets or sets who is told of the end.</summary>
    public Action<SimRequest>? Ended { get; set; }

    public void Completed(VolumeError error, Payload? data)
    {
        if (IsDone)
        {
            throw new InvalidOperationException("A request ended twice.");
        }

        IsDone = true;
        Error = error;
        if (data is not null)
        {
            Data = new byte[data.Length];
            data.CopyTo(0, Data);
        }

        Ended?.Invoke(this);
    }
}

/// <summary>Short ways for a script to use a volume.</summary>
public static class SimApplication
{
    /// <summary>Makes a block's content: every 8 bytes name the version and the place.</summary>
    public static byte[] Pattern(ulong version, int lengthBytes)
    {
        var bytes = new byte[lengthBytes];
        for (var at = 0; at + 8 <= lengthBytes; at += 8)
        {
            BitConverter.TryWriteBytes(bytes.AsSpan(at), (version << 20) | (uint)(at / 8));
        }

        return bytes;
    }

    public static SimRequest Write(this SimCluster cluster, long offsetBytes, byte[] data, bool fua = false, int generator = 1)
    {
        var request = new SimRequest();
        cluster.Host.Post(() =>
        {
            var payload = Payload.Take(Slice.Copy(data));
            cluster.Coordinator.Write(generator, offsetBytes, payload, fua, request);
            payload.Release();
        });
        return request;
    }

    public static SimRequest WriteBlock(this SimCluster cluster, long block, ulong version, bool fua = false, int count = 1) =>
        cluster.Write(block * SimCluster.BlockBytes, Pattern(version, count * SimCluster.BlockBytes), fua);

    public static SimRequest Read(this SimCluster cluster, long offsetBytes, int lengthBytes)
    {
        var request = new SimRequest();
        cluster.Host.Post(() => cluster.Coordinator.Read(offsetBytes, lengthBytes, request));
        return request;
    }

    public static SimRequest ReadBlock(this SimCluster cluster, long block, int count = 1) =>
        cluster.Read(block * SimCluster.BlockBytes, count * SimCluster.BlockBytes);

    public static SimRequest Flush(this SimCluster cluster)
    {
        var request = new SimRequest();
        cluster.Host.Post(() => cluster.Coordinator.Flush(request));
        return request;
    }

    /// <summary>Runs until the request has ended.</summary>
    public static SimRequest Await(this SimCluster cluster, SimRequest request, long timeoutMs = 60_000)
    {
        cluster.World.RunUntil(() => request.IsDone, timeoutMs);
        return request;
    }
}
