using System.Diagnostics;

namespace MirrorController.Tests.EndToEnd.Rig;

/// <summary>A file system on the volume.</summary>
public sealed class FileSystemTests
{
    private const int MountMsMax = 60_000;

    [Fact]
    public void A_file_system_made_through_power_losses_of_boards_is_sound_after_one_of_everything()
    {
        using var lab = new RigLab("--size", "64MiB");
        var content = Directory.CreateDirectory(lab.Files.File("content")).FullName;
        for (var i = 0; i < 20; i++)
        {
            File.WriteAllBytes(Path.Combine(content, $"file{i}"), new byte[(i * 10_007) + 1]);
        }

        Mounted(lab, disk =>
        {
            var cuts = Task.Run(() =>
            {
                lab.Run("rig", "cut", "pi-a", "pi-b");
                lab.Run("rig", "restore", "pi-a", "pi-b");
            });
            Tools.Run("mkfs.ext4", "-q", "-F", "-d", content, disk);
            cuts.GetAwaiter().GetResult();
            Tools.Run("sync", disk);
        });

        lab.Run("rig", "cut", "host", "pi-a", "pi-b");
        lab.Run("rig", "restore", "pi-b", "host", "pi-a");
        lab.Run("wait", "--for", "insync", "--timeout", "60s");

        Mounted(lab, disk =>
        {
            Tools.Run("e2fsck", "-f", "-n", disk);
            Assert.Contains("file19", Tools.Run("debugfs", "-R", "ls", disk), StringComparison.Ordinal);
        });
        lab.Run("verify", "tank");
    }

    private static void Mounted(RigLab lab, Action<string> use)
    {
        var folder = Directory.CreateDirectory(lab.Files.File("mount")).FullName;
        using var fuse = Process.Start(new ProcessStartInfo("nbdfuse", [folder, lab.Uri]) { UseShellExecute = false })!;
        var disk = Path.Combine(folder, "nbd");
        try
        {
            var clock = Stopwatch.StartNew();
            while (!File.Exists(disk))
            {
                Assert.True(!fuse.HasExited && clock.ElapsedMilliseconds < MountMsMax, "nbdfuse does not serve; this test needs /dev/fuse.");
            }

            use(disk);
        }
        finally
        {
            if (!fuse.HasExited)
            {
                Tools.Run("fusermount3", "-u", folder);
            }

            fuse.WaitForExit();
        }
    }
}
