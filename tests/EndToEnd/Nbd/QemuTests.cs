namespace MirrorController.Tests.EndToEnd.Nbd;

public class QemuTests
{
    [Fact]
    public void Qemu_img_converts_and_finds_the_images_identical()
    {
        const int imageBytes = 32 << 20;
        using var folder = new TemporaryFolder();
        using var lab = new NbdLab(imageBytes);
        var image = folder.RandomFile("in.raw", imageBytes, seed: 1);
        Tools.Run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", image, lab.Uri);
        Assert.Contains("identical", Tools.Run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, lab.Uri), StringComparison.Ordinal);
    }

    [Fact]
    public void Qemu_io_reads_the_patterns_that_it_wrote()
    {
        using var lab = new NbdLab();
        var output = Tools.Run(
            "qemu-io",
            "-f",
            "raw",
            "-c", "write -P 0xa5 0 1M",
            "-c", "write -f -P 0x5a 262000 300",
            "-c", "aio_write -P 0x11 2M 4M",
            "-c", "aio_write -P 0x22 8M 512",
            "-c", "aio_flush",
            "-c", "flush",
            "-c", "read -P 0xa5 0 262000",
            "-c", "read -P 0x5a 262000 300",
            "-c", "read -P 0xa5 262300 700000",
            "-c", "read -P 0x11 2M 4M",
            "-c", "read -P 0x22 8M 512",
            "-c", "read -P 0 9M 1M",
            lab.Uri);
        Assert.DoesNotContain("failed", output, StringComparison.OrdinalIgnoreCase);
    }
}
