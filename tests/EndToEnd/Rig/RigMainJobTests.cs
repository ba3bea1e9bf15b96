using System.Diagnostics;

namespace MirrorController.Tests.EndToEnd.Rig;

/// <summary>The main job: a volume that survives a pulled plug, with an application's own programs.</summary>
public sealed class RigMainJobTests
{
    [Fact]
    public void A_copy_cut_off_by_a_power_loss_of_everything_leaves_equal_mirrors_and_can_be_repeated()
    {
        using var lab = new RigLab("--size", "256MiB");
        var image = lab.Files.RandomFile("image", 128 << 20, seed: 1);
        using (var copy = Process.Start(new ProcessStartInfo("nbdcopy", [image, lab.Uri]) { RedirectStandardError = true, UseShellExecute = false })!)
        {
            // In the middle of the copy: something is written, and not all of it.
            while (!copy.HasExited && (long)lab.Volume()["atRisk"]!["bytes"]! == 0)
            {
            }

            lab.Run("rig", "cut", "pi-a", "pi-b", "host");
            copy.WaitForExit();
        }

        lab.Run("rig", "restore", "pi-a", "pi-b", "host");
        lab.Run("wait", "--for", "insync", "--timeout", "60s");
        lab.Run("verify", "tank");

        Tools.Run("nbdcopy", "--flush", image, lab.Uri);
        Assert.Contains("identical", Tools.Run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, lab.Uri), StringComparison.Ordinal);
        lab.Run("verify", "tank");
    }

    [Theory]
    [InlineData("loud")]
    [InlineData("silent")]
    public async Task A_power_loss_of_both_boards_only_slows_the_application_down(string how)
    {
        using var lab = new RigLab("--size", "256MiB");
        string[] silent = how == "silent" ? ["--silent"] : [];
        var fio = Task.Run(() => Tools.Run(
            "fio", "--name=job", "--ioengine=nbd", "--uri=" + lab.Uri, "--rw=randwrite", "--bs=4k", "--iodepth=16", "--size=64m",
            "--time_based", "--runtime=10", "--verify=crc32c", "--verify_backlog=512", "--verify_fatal=1", "--verify_state_save=0"));

        for (var i = 0; i < 2; i++)
        {
            lab.Run(["rig", "cut", .. silent, "pi-a", "pi-b"]);
            lab.Run("rig", "restore", "pi-a", "pi-b");
            lab.Run("wait", "--for", "insync", "--timeout", "60s");
        }

        Assert.Contains("err= 0", await fio, StringComparison.Ordinal);
        lab.Run("verify", "tank");
    }

    [Fact]
    public void What_was_flushed_is_there_after_everything_lost_power()
    {
        using var lab = new RigLab("--size", "64MiB", "--boards", "3", "--nvm", "eeprom");
        var image = lab.Files.RandomFile("image", 16 << 20, seed: 2);
        Tools.Run("nbdcopy", "--flush", image, lab.Uri);

        lab.Run("rig", "cut", "pi-a", "pi-b", "pi-c", "host");
        lab.Run("rig", "restore", "host", "pi-c", "pi-b", "pi-a");
        lab.Run("wait", "--for", "insync", "--timeout", "60s");

        Assert.Contains("identical", Tools.Run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, lab.Uri), StringComparison.Ordinal);
    }
}
