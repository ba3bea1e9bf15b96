using System.Diagnostics;
using System.Text.Json.Nodes;
using MirrorController.HostAgent.Rig;

namespace MirrorController.Tests.EndToEnd.Rig;

/// <summary>The rig in front of a terminal, and in a script's hands.</summary>
public sealed class RigFrontTests
{
    private const int EndMsMax = 120_000;

    [Fact]
    public void An_interrupt_shuts_the_rig_down_cleanly()
    {
        using var folder = new TemporaryFolder();
        var dir = folder.File("lab");
        // A shell starts what it puts in the background with SIGINT ignored, and children inherit that: ask for the default.
        using var front = Process.Start(new ProcessStartInfo(
            "env", ["--default-signal=INT", RigLab.Mirrorctl, "rig", "up", "--json", "--dir", dir, "--size", "16MiB", "--nbd", FreeAddress()])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        var uri = (string)JsonNode.Parse(front.StandardOutput.ReadLine()!)!["nbd"]!;
        var image = folder.RandomFile("image", 4 << 20, seed: 6);
        // Not flushed by the client: the clean end does it.
        Tools.Run("nbdcopy", image, uri);

        Tools.Run("kill", "-INT", $"{front.Id}");

        if (!front.WaitForExit(EndMsMax))
        {
            Tools.Run("kill", "-TERM", $"{front.Id}");
            Assert.Fail("The front did not end in time.");
        }

        Assert.Equal(0, front.ExitCode);
        Assert.Empty(Leftovers.Find(new RigPaths(dir)));
        Tools.Run(EndMsMax, 0, RigLab.Mirrorctl, "rig", "up", "--detach", "--dir", dir);
        Assert.Contains("identical", Tools.Run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, uri), StringComparison.Ordinal);
        Tools.Run(EndMsMax, 0, RigLab.Mirrorctl, "rig", "down", "--dir", dir);
    }

    [Fact]
    public void A_detached_rig_gives_its_object_to_a_script_and_lets_it_go_on()
    {
        using var folder = new TemporaryFolder();
        var dir = folder.File("lab");

        var said = Tools.Run(
            EndMsMax, 0, "bash", "-c", $"ready=$({RigLab.Mirrorctl} rig up --detach --json --dir {dir} --size 16MiB --nbd {FreeAddress()}) && echo \"$ready\"");

        Assert.Equal("tank", (string?)JsonNode.Parse(said)!["volume"]);
        Tools.Run(EndMsMax, 0, RigLab.Mirrorctl, "rig", "down", "--dir", dir);
    }

    private static string FreeAddress()
    {
        using var ports = new FreePorts();
        return $"127.0.0.1:{ports.Take()}";
    }
}
