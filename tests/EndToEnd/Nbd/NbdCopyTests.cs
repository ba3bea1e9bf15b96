using MirrorController.Runtime;

namespace MirrorController.Tests.EndToEnd.Nbd;

public class NbdCopyTests
{
    private const int ImageBytes = (48 << 20) + 12_345;

    [Theory]
    [InlineData("automatic", 1, 64, 262_144)]
    [InlineData("automatic", 4, 64, 4_096)]
    [InlineData("automatic", 4, 4, 33_554_432)]
    [InlineData("select", 2, 64, 262_144)]
    public void An_image_copied_in_and_out_is_the_same(string backend, int connections, int requests, int requestBytes)
    {
        using var folder = new TemporaryFolder();
        using var lab = new NbdLab(ImageBytes, backend == "select" ? LoopBackend.Select : LoopBackend.Automatic);
        var image = folder.RandomFile("in.raw", ImageBytes, seed: connections);
        var copy = folder.File("out.raw");
        string[] options = [$"--connections={connections}", $"--requests={requests}", $"--request-size={requestBytes}"];
        Tools.Run("nbdcopy", [.. options, "--flush", image, lab.Uri]);
        Tools.Run("nbdcopy", [.. options, lab.Uri, copy]);
        Assert.True(File.ReadAllBytes(image).AsSpan().SequenceEqual(File.ReadAllBytes(copy)), "The copy differs from the image.");
    }

    [Fact]
    public void A_volume_copied_to_another_is_the_same()
    {
        using var folder = new TemporaryFolder();
        using var lab = new NbdLab(ImageBytes);
        using var other = new NbdLab(ImageBytes);
        var image = folder.RandomFile("in.raw", ImageBytes, seed: 5);
        Tools.Run("nbdcopy", image, lab.Uri);
        Tools.Run("nbdcopy", lab.Uri, other.Uri);
        Tools.Run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, other.Uri);
    }
}
