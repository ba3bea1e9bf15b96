using MirrorController.Firmware.Disks;
using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Unit.Disks;

public sealed class FileDiskRig : FileDiskRigBase
{
    public FileDiskRig(DiskMode mode) => Disk = FileDisk.Create(Loop, DataPath, SizeBytes, mode);

    public override IBlockDevice Disk { get; }
}
