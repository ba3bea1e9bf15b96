using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>A node's log in the world's.</summary>
public sealed class SimLog(SimWorld world, string nodeName) : INodeLog
{
    public void Write(NodeLogLevel level, string sentence) => world.Note($"{nodeName} {level}: {sentence}");
}
