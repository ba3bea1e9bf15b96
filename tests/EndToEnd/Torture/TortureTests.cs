using System.Text.Json.Nodes;
using MirrorController.Tests.EndToEnd.Rig;

namespace MirrorController.Tests.EndToEnd.Torture;

/// <summary>The crash test that users have, too: every plan here is the same at every run, its timing is not.</summary>
public sealed class TortureTests
{
    private const int RunMsMax = 1_200_000;

    [Theory]
    [InlineData("100", "1", "--disk-cache", "volatile")]
    [InlineData("30", "3", "--disk-cache", "none", "--boards", "3", "--nvm", "eeprom")]
    public void Nothing_is_lost_and_the_mirrors_are_equal_after_every_cut(string cuts, string seed, params string[] options)
    {
        using var folder = new TemporaryFolder();

        var said = Tools.Run(
            RunMsMax, 0, RigLab.Mirrorctl, ["rig", "torture", "--cuts", cuts, "--seed", seed, "--json", "--dir", folder.File("lab"), .. options]);

        var result = JsonNode.Parse(said)!;
        Assert.Null(result["fault"]);
        Assert.Equal(cuts, result["cuts"]!.ToString());
        Assert.True((long)result["writes"]! > (long)result["cuts"]!, said);
        Assert.All(result["cutsByKind"]!.AsArray(), kind =>
        {
            Assert.True((int)kind!["loud"]! > 0, said);
            Assert.True((int)kind["silent"]! > 0, said);
        });
    }

    [Fact]
    public void A_rig_in_use_is_not_tortured()
    {
        using var lab = new RigLab("--size", "16MiB");

        lab.Run(64, "rig", "torture", "--cuts", "1");

        Assert.Equal("InSync", (string?)lab.Volume()["state"]);
    }
}
