using MirrorController.Firmware.Configuration;
using MirrorController.Tests.Unit.Rig;

namespace MirrorController.Tests.Unit.Configuration;

public sealed class BoardConfigurationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_emulated_board_is_read_with_paths_relative_to_its_file()
    {
        var board = Read(""" "nvm": { "kind": "eeprom", "file": "chip.img" }, "nvmTiming": "real", "disk": { "path": "disk.img", "cache": "volatile" }, "seed": 7 """, out var fault);

        Assert.Null(fault);
        Assert.Equal("127.0.0.1:7710", board!.Listen.ToString());
        Assert.Equal(NvmKind.Eeprom, board.Nvm.Kind);
        Assert.Equal(_folder.File("chip.img"), board.Nvm.FilePath);
        Assert.True(board.Nvm.RealTiming);
        Assert.Equal(_folder.File("disk.img"), board.Disk.DiskPath);
        Assert.Equal(DiskKind.File, board.Disk.Kind);
        Assert.True(board.Disk.VolatileCache);
        Assert.Equal(1, board.VolumesMax);
        Assert.Equal(7, board.Seed);
    }

    [Fact]
    public void A_board_with_a_chip_on_a_bus_and_a_device_is_read()
    {
        var board = Read(""" "nvm": { "kind": "fram", "bus": 1, "address": "0x51" }, "disk": { "path": "/dev/sda", "kind": "device" }, "volumesMax": 4 """, out var fault);

        Assert.Null(fault);
        Assert.Null(board!.Nvm.FilePath);
        Assert.Equal(1, board.Nvm.Bus);
        Assert.Equal(0x51, board.Nvm.Address);
        Assert.Equal(DiskKind.Device, board.Disk.Kind);
        Assert.False(board.Disk.VolatileCache);
        Assert.Equal(4, board.VolumesMax);
    }

    [Theory]
    [InlineData(""" "nvm": { "kind": "flash", "file": "c" }, "disk": { "path": "d" } """, "\"kind\" is \"flash\"; allowed are fram, eeprom")]
    [InlineData(""" "nvm": { "kind": "fram" }, "disk": { "path": "d" } """, "either \"file\"")]
    [InlineData(""" "nvm": { "kind": "fram", "file": "c", "bus": 1 }, "disk": { "path": "d" } """, "both \"file\" and \"bus\"")]
    [InlineData(""" "nvm": { "kind": "fram", "bus": 1, "address": "0x99" }, "disk": { "path": "d" } """, "allowed are 0x08 to 0x77")]
    [InlineData(""" "nvm": { "kind": "fram", "file": "c" }, "disk": { "path": "d", "kind": "device", "cache": "volatile" } """, "emulated for files only")]
    [InlineData(""" "nvm": { "kind": "fram", "file": "c" }, "disk": { "path": "d" }, "volumesMax": 0 """, "whole numbers from 1 to 8")]
    [InlineData(""" "nvm": { "kind": "fram", "file": "c" } """, "the file has no \"disk\"")]
    [InlineData(""" "nvm": { "kind": "fram", "file": "c" }, "disk": { "path": "d" }, "nvmtiming": "real" """, "\"nvmtiming\" is not known")]
    public void A_mistake_is_one_sentence_that_says_what_is_allowed(string rest, string expected)
    {
        Assert.Null(Read(rest, out var fault));
        Assert.Contains(expected, fault, StringComparison.Ordinal);
        Assert.DoesNotContain("more)", fault, StringComparison.Ordinal);
    }

    private BoardConfiguration? Read(string rest, out string? fault)
    {
        var json = $$"""{ "name": "pi-a", "secret": "00112233445566778899aabbccddeeff", {{rest}} }""";
        var board = BoardConfiguration.Read(_folder.Write("board.json", json), out var file);
        fault = file.FirstFault();
        return board;
    }
}
