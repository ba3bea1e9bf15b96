using System.Net.Sockets;
using MirrorController.Runtime;

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

    [Theory]
    [InlineData("automatic")]
    [InlineData("select")]
    public void A_client_that_takes_its_replies_late_gets_them_all_and_holds_up_nobody(string backend)
    {
        const int mebibyte = 1 << 20;
        const int reads = 200;
        using var lab = new NbdLab(backend: backend == "select" ? LoopBackend.Select : LoopBackend.Automatic);
        using var client = new TcpClient(lab.Address.Host, lab.Address.Port);
        client.ReceiveTimeout = 60_000;
        using var stream = client.GetStream();
        var reply = new byte[16 + mebibyte];
        stream.ReadExactly(reply, 0, 18);
        stream.Write([0, 0, 0, 3, .. "IHAVEOPT"u8, 0, 0, 0, 1, 0, 0, 0, 4, .. "tank"u8]);
        stream.ReadExactly(reply, 0, 10);
        for (byte i = 0; i < reads; i++)
        {
            // A read of 1 MiB at offset 0 whose cookie ends with i; all of them together fit the system's buffers.
            stream.Write([0x25, 0x60, 0x95, 0x13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, i, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0]);
        }

        // More than the server holds for one client waits unread; another client is served meanwhile.
        Tools.Run("nbdinfo", lab.Uri);
        var seen = new HashSet<byte>();
        for (var i = 0; i < reads; i++)
        {
            stream.ReadExactly(reply);
            Assert.Equal([0x67, 0x44, 0x66, 0x98, 0, 0, 0, 0], reply[..8]);
            Assert.True(seen.Add(reply[15]), "A reply came twice.");
        }
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
