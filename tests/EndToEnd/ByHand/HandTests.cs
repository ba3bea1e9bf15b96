using System.Diagnostics;

namespace MirrorController.Tests.EndToEnd.ByHand;

/// <summary>Boards and agent without the rig do what the rig shows.</summary>
public sealed class HandTests
{
    private const int Depth = 32;
    private const int BlockBytes = 4096;

    /// <summary>A limit for failures; on a quiet machine it takes some milliseconds, whatever the volume's size.</summary>
    private const long RecoveryMsMax = 20_000;

    [Theory]
    [InlineData("1GiB", "none")]
    [InlineData("1GiB", "volatile")]
    [InlineData("1TiB", "none")]
    public void After_a_death_of_the_host_no_more_is_copied_than_was_in_flight(string size, string cache)
    {
        using var lab = new HandLab(size, cache);
        using (var fio = Process.Start(new ProcessStartInfo(
            "fio",
            ["--name=job", "--ioengine=nbd", "--uri=" + lab.Uri, "--rw=randwrite", $"--bs={BlockBytes}", $"--iodepth={Depth}", "--size=" + size.Replace("iB", "", StringComparison.Ordinal), "--norandommap", "--randrepeat=1", "--time_based", "--runtime=120", "--output=/dev/null"])
        {
            RedirectStandardError = true,
            UseShellExecute = false,
        })!)
        {
            HandLab.Until(() => (long?)lab.Volume()?["atRisk"]?["bytes"] > 0, "Nothing was written.");

            lab.Cut("agent");

            fio.WaitForExit();
            Assert.NotEqual(0, fio.ExitCode);
        }

        lab.StartAgent();
        var recovery = lab.Volume()!["lastRecovery"]!;
        Assert.InRange((long)recovery["copiedBytes"]!, 0, Depth * BlockBytes);
        Assert.InRange((long)recovery["milliseconds"]!, 0, RecoveryMsMax);
        // All of a terabyte would be compared, holes excepted; a gigabyte of holes says the same.
        if (size == "1GiB")
        {
            lab.Run("verify", "pond");
        }
    }

    [Fact]
    public void A_copy_outlives_power_losses_of_boards_and_host_and_a_clean_end()
    {
        using var lab = new HandLab("64MiB", "volatile");
        var image = lab.Files.RandomFile("image", 32 << 20, seed: 5);
        Tools.Run("nbdcopy", "--flush", image, lab.Uri);

        foreach (var node in new[] { "agent", "north", "south" })
        {
            lab.Cut(node);
        }

        lab.StartBoard("south");
        lab.StartBoard("north");
        lab.StartAgent();
        Assert.Contains("identical", Compare(image, lab), StringComparison.Ordinal);
        lab.Cut("north");
        lab.StartBoard("north");
        Assert.Contains("identical", Compare(image, lab), StringComparison.Ordinal);
        lab.Run("wait", "--for", "insync", "--timeout", "60s");
        lab.Run("verify", "pond");
        lab.EndCleanly();
    }

    [Fact]
    public void A_wrong_configuration_is_one_sentence_and_64()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("wrong.json");
        File.WriteAllText(file, """{ "name": "north", "volume": "pond", "boards": [], "colour": "red" }""");

        foreach (var program in new[] { $"{Rig.RigLab.MirrorBoard} --config", $"{Rig.RigLab.Mirrorctl} serve --config" })
        {
            var said = Tools.Run(60_000, 64, "bash", "-c", $"{program} {file} 2>&1");

            Assert.Single(said.TrimEnd('\n').Split('\n'));
            Assert.Contains(file, said, StringComparison.Ordinal);
        }
    }

    private static string Compare(string image, HandLab lab) => Tools.Run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, lab.Uri);
}
