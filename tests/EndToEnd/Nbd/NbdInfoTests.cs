using System.Text.Json;

namespace MirrorController.Tests.EndToEnd.Nbd;

public class NbdInfoTests
{
    [Fact]
    public void Nbdinfo_shows_the_export()
    {
        using var lab = new NbdLab(sizeBytes: 12_345_678);
        using var json = JsonDocument.Parse(Tools.Run("nbdinfo", "--json", lab.Uri));
        Assert.Equal("newstyle-fixed", json.RootElement.GetProperty("protocol").GetString());
        var export = json.RootElement.GetProperty("exports")[0];
        Assert.Equal("tank", export.GetProperty("export-name").GetString());
        Assert.Equal(12_345_678, export.GetProperty("export-size").GetInt64());
        Assert.Equal("mirrored volume tank", export.GetProperty("description").GetString());
        foreach (var can in new[] { "can_flush", "can_fua", "can_multi_conn" })
        {
            Assert.True(export.GetProperty(can).GetBoolean(), can);
        }

        foreach (var cannot in new[] { "can_trim", "can_zero", "can_cache", "is_read_only" })
        {
            Assert.False(export.GetProperty(cannot).GetBoolean(), cannot);
        }

        Assert.Equal(1, export.GetProperty("block_size_minimum").GetInt32());
        Assert.Equal(4096, export.GetProperty("block_size_preferred").GetInt32());
        Assert.Equal(32 << 20, export.GetProperty("block_size_maximum").GetInt32());
    }

    [Fact]
    public void Nbdinfo_lists_all_exports()
    {
        using var lab = new NbdLab(moreVolumes: "pond");
        var list = Tools.Run("nbdinfo", "--list", $"nbd://{lab.Address}");
        Assert.Contains("export=\"tank\"", list, StringComparison.Ordinal);
        Assert.Contains("export=\"pond\"", list, StringComparison.Ordinal);
    }

    [Fact]
    public void The_only_volume_is_the_default_export()
    {
        using var lab = new NbdLab(sizeBytes: 4 << 20);
        Assert.Equal("4194304", Tools.Run("nbdinfo", "--size", $"nbd://{lab.Address}").Trim());
    }

    [Fact]
    public void An_export_that_does_not_exist_is_refused()
    {
        using var lab = new NbdLab();
        Tools.Run(60_000, 1, "nbdinfo", $"nbd://{lab.Address}/lake");
    }
}
