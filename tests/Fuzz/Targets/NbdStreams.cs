using System.Buffers.Binary;
using System.Text;
using MirrorController.HostAgent.Nbd;
using MirrorController.Protocol.Seams;
using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>
/// An NBD client's stream, from the greeting on or behind GO. First byte: how long its pieces are; its highest bit: nothing
/// of the replies is taken before the end.
/// </summary>
internal sealed class NbdStreams(bool isTransmission) : FuzzTarget(isTransmission ? "nbd-transmission" : "nbd-negotiation", "an NBD client")
{
    private const long VolumeBytes = 1 << 20;
    private static readonly byte[] Handshake = [.. U32(3), .. Go("tank")];

    public override int CheckInRuns => isTransmission ? 300 : 3000;

    // Data that is read is held until the client takes it, up to the server's bound; a piece of a write costs a chunk's slice.
    public override long AllocationFixedBytes => 40 << 20;

    public override int AllocationPerInputByte => 2048;

    public override IReadOnlyList<byte[]> Words => isTransmission
        ? [Request(0, 0, 4096), Request(0, 0, 1 << 20), Request(1, 0, 8), Request(2, 0, 0), Request(3, 0, 0), U32(0x25609513)]
        : [Option(7), Option(6), Option(3), Option(1), Option(2), Option(99), Go("tank"), Go(""), U32(3), [.. "IHAVEOPT"u8]];

    public override IEnumerable<byte[]> Seeds()
    {
        foreach (var stream in isTransmission ? Transmissions() : Negotiations())
        {
            yield return [0, .. stream];
            yield return [7, .. stream];
        }

        if (isTransmission)
        {
            yield return [0x80, .. Request(0, 0, 1 << 20), .. Request(0, 0, 1 << 20), .. Request(1, 4000, 3), 1, 2, 3];
        }
    }

    public override bool Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return false;
        }

        var loop = new NbdLoop();
        var volume = new MemoryVolume(loop, "tank", VolumeBytes);
        var server = new NbdServer(loop, loop, loop);
        server.Export(volume);
        server.Listen(loop.Address);
        loop.Accept();
        if (isTransmission)
        {
            loop.Give(Handshake, int.MaxValue);
        }

        var before = loop.SentBytes;
        loop.IsStuck = (input[0] & 0x80) != 0;
        loop.Give(input[1..], (input[0] & 0x7F) == 0 ? int.MaxValue : input[0] & 0x7F);
        loop.Unstick();
        var isGood = loop.IsOpen && loop.SentBytes > before;
        loop.End();
        if (server.Connections != 0 || volume.Pending != 0 || volume.Generators.Count != 0)
        {
            throw new InvalidOperationException("something is held for a client that has gone");
        }

        return isGood;
    }

    private static IEnumerable<byte[]> Negotiations() =>
    [
        Handshake,
        [.. U32(1), .. Option(3), .. Option(6, Choice("tank", 0, 1, 2, 3)), .. Go("", 3)],
        [.. U32(3), .. Option(99, 1, 2, 3), .. Option(1, [.. "tank"u8])],
        [.. U32(3), .. Option(7, new byte[9000]), .. Option(6, Choice("none"))],
    ];

    private static IEnumerable<byte[]> Transmissions() =>
    [
        [.. Request(0, 0, 4096), .. Request(1, 512, 16), .. new byte[16], .. Request(3, 0, 0)],
        [.. Request(1, 1000, 100, 1), .. new byte[100], .. Request(0, 900, 300), .. Request(4, 0, 4096), .. Request(1, VolumeBytes, 8), .. new byte[8], .. Request(3, 0, 0)],
        [.. Request(0, (256 << 10) - 10, 20), .. Request(1, (256 << 10) - 2, 4), 1, 2, 3, 4, .. Request(0, 0, 0)],
    ];

    private static byte[] Request(ushort command, long offset, uint length, ushort flags = 0)
    {
        var bytes = new byte[NbdRequestHeader.Size];
        new NbdRequestHeader((NbdCommandFlags)flags, (NbdCommand)command, 7, (ulong)offset, length).Write(bytes);
        return bytes;
    }

    private static byte[] Go(string name, params ushort[] infos) => Option(7, Choice(name, infos));

    private static byte[] Option(uint option, params byte[] data) => [.. "IHAVEOPT"u8, .. U32(option), .. U32((uint)data.Length), .. data];

    private static byte[] Choice(string name, params ushort[] infos) =>
        [.. U32((uint)name.Length), .. Encoding.UTF8.GetBytes(name), .. U16((ushort)infos.Length), .. infos.SelectMany(U16)];

    private static byte[] U16(ushort value) => [(byte)(value >> 8), (byte)value];

    private static byte[] U32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}
