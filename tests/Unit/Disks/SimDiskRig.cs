using MirrorController.Protocol.Seams;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Disks;

public sealed class SimDiskRig : DiskRig
{
    private readonly SimWorld _world = new(7);

    public SimDiskRig()
    {
        var loop = new SimLoop(_world, "node");
        Loop = loop;
        Disk = new SimDiskMedia(_world, "disk", SizeBytes).Open(loop);
    }

    public override IBlockDevice Disk { get; }

    public override ILoop Loop { get; }

    public override void RunUntil(Func<bool> condition) => _world.RunUntil(condition);

    public override void Dispose()
    {
    }
}
