using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>What a node gets for one life: the seams, bound to this life.</summary>
public sealed record SimNodeContext(
    SimNode Node,
    SimLoop Loop,
    INetwork Network,
    IReadOnlyList<IBlockDevice> Disks,
    IReadOnlyList<INvm> Nvms,
    IRandomSource Random,
    INodeLog Log)
{
    /// <summary>Gets the only disk.</summary>
    public IBlockDevice Disk => Disks.Single();

    /// <summary>Gets the only chip.</summary>
    public INvm Nvm => Nvms.Single();

    /// <summary>Gets the pool of the loop's buffers.</summary>
    public BufferPool Pool => Loop.Pool;
}
