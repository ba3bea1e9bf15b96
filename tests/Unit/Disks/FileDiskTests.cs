using MirrorController.Firmware.Array;
using MirrorController.Firmware.Configuration;
using MirrorController.Firmware.Disks;

namespace MirrorController.Tests.Unit.Disks;

public sealed class FileDiskTests : IDisposable
{
    private readonly FileDiskRig _rig = new(DiskMode.Inline);

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void A_disk_in_use_is_refused_with_one_sentence()
    {
        var e = Assert.Throws<IOException>(() => FileDisk.Open(_rig.Loop, _rig.DataPath));
        Assert.Contains(_rig.DataPath, e.Message, StringComparison.Ordinal);
        Assert.Contains("another process", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_exists_is_never_made_anew()
    {
        _rig.Write(0, 1, 2, 3);
        _rig.Disk.Close();
        Assert.Throws<IOException>(() => FileDisk.Create(_rig.Loop, _rig.DataPath, 4096));
        using (var again = FileDisk.Open(_rig.Loop, _rig.DataPath))
        {
            Assert.Equal(DiskRig.SizeBytes, again.SizeBytes);
        }

        Assert.Equal([1, 2, 3], ReadStart());
    }

    [Fact]
    public void A_disk_that_does_not_exist_is_refused_and_not_made()
    {
        var path = Path.Combine(_rig.Folder, "other");
        Assert.Throws<IOException>(() => FileDisk.Open(_rig.Loop, path));
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void A_block_device_that_is_not_there_is_absent_and_never_made_as_a_file()
    {
        var path = Path.Combine(_rig.Folder, "sdz");
        var place = new FileDiskPlace(_rig.Loop, path, isDevice: true, DiskMode.Inline);

        Assert.Equal(DiskFinding.Absent, place.Open(out _, out var sentence));
        Assert.Equal($"The block device {path} does not exist.", sentence);
        Assert.Null(place.Create(4096, out _, out sentence));
        Assert.Equal($"The block device {path} does not exist.", sentence);
        Assert.False(File.Exists(path));
        Assert.NotNull(new DiskConfiguration { DiskPath = path, Kind = DiskKind.Device, VolatileCache = false }.Missing());
        Assert.Null(new DiskConfiguration { DiskPath = path, Kind = DiskKind.File, VolatileCache = false }.Missing());
    }

    private byte[] ReadStart()
    {
        using var file = new FileStream(_rig.DataPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[3];
        file.ReadExactly(bytes);
        return bytes;
    }
}
