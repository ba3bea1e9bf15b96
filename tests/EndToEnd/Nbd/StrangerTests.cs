using System.Net.Sockets;

namespace MirrorController.Tests.EndToEnd.Nbd;

public class StrangerTests
{
    [Fact]
    public async Task A_client_that_talks_nonsense_is_sent_away_and_the_others_go_on()
    {
        using var lab = new NbdLab();
        using var folder = new TemporaryFolder();
        var image = folder.RandomFile("in.raw", 16 << 20, seed: 1);
        var copy = Task.Run(() => Tools.Run("nbdcopy", image, lab.Uri), TestContext.Current.CancellationToken);
        for (var seed = 0; seed < 50; seed++)
        {
            SayNonsense(lab, seed);
        }

        await copy;
        Assert.Equal(50, lab.Warnings.Count);
        Tools.Run("nbdinfo", lab.Uri);
    }

    private static void SayNonsense(NbdLab lab, int seed)
    {
        using var client = new TcpClient(lab.Address.Host, lab.Address.Port);
        client.ReceiveTimeout = 10_000;
        using var stream = client.GetStream();
        var greeting = new byte[18];
        stream.ReadExactly(greeting);
        var random = new Random(seed);
        var nonsense = new byte[64 + random.Next(5_000)];
        random.NextBytes(nonsense);
        if (seed % 2 == 0)
        {
            // Right flags and a right choice of the export, nonsense after.
            byte[] start = [0, 0, 0, 3, .. "IHAVEOPT"u8, 0, 0, 0, 1, 0, 0, 0, 4, .. "tank"u8];
            start.CopyTo(nonsense, 0);
        }

        try
        {
            stream.Write(nonsense);
            while (stream.Read(greeting) > 0)
            {
                // What the server still says does not matter, that it ends does.
            }
        }
        catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.Shutdown })
        {
            // Sent away before it had said all: fine.
        }
    }
}
