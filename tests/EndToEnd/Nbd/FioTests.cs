namespace MirrorController.Tests.EndToEnd.Nbd;

public class FioTests
{
    [Theory]
    [InlineData("randwrite", "4k-4k", 32)]
    [InlineData("randwrite", "512-512k", 32)]
    [InlineData("write", "1m-1m", 8)]
    public void Fio_verifies_what_it_wrote(string pattern, string blockSizes, int depth)
    {
        using var lab = new NbdLab();
        Tools.Run("fio", [.. Job(lab, "verify", pattern, blockSizes, depth), "--size=64m", "--verify=crc32c", "--verify_fatal=1", "--verify_state_save=0"]);
    }

    [Fact]
    public void Clients_with_flushes_and_fua_go_on_beside_each_other()
    {
        using var lab = new NbdLab(256 << 20);
        Tools.Run(
            "fio",
            [
                .. Job(lab, "left", "randrw", "4k-64k", 32), "--size=64m", "--fsync=32",
                .. Job(lab, "right", "randwrite", "4k-4k", 16), "--offset=64m", "--size=32m", "--verify=crc32c", "--verify_fatal=1", "--verify_state_save=0", "--fsync=16",
                .. Job(lab, "reader", "randread", "4k-1m", 32), "--offset=128m", "--size=128m",
            ]);
    }

    private static string[] Job(NbdLab lab, string name, string pattern, string blockSizes, int depth) =>
        [$"--name={name}", "--ioengine=nbd", $"--uri={lab.Uri}", $"--rw={pattern}", $"--bsrange={blockSizes}", $"--iodepth={depth}", "--thread=1"];
}
