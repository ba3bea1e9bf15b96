using System.Buffers.Binary;
using MirrorController.HostAgent.Nbd;
using MirrorController.HostAgent.Rig.Torture;
using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>An NBD server's stream, as the torture's client reads it. First byte: how long its pieces are.</summary>
internal sealed class NbdReplies() : FuzzTarget("nbd-replies", "an NBD server")
{
    private const int ReadBytes = 512;

    public override long AllocationFixedBytes => 64 * 1024;

    public override int AllocationPerInputByte => 400;

    public override IEnumerable<byte[]> Seeds()
    {
        byte[] stream =
        [
            .. U64(NbdConstants.GreetingMagic), .. U64(NbdConstants.OptionMagic), 0, 3,
            .. U64(NbdConstants.OptionReplyMagic), .. U32(7), .. U32(3), .. U32(12), 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 1,
            .. U64(NbdConstants.OptionReplyMagic), .. U32(7), .. U32(1), .. U32(0),
            .. Reply(0, 1), .. new byte[ReadBytes], .. Reply(5, 2), .. Reply(0, 3),
        ];
        return [[0, .. stream], [5, .. stream]];
    }

    public override bool Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return false;
        }

        var loop = new NbdLoop();
        var owner = new Owner();
        _ = new NbdClient(loop, loop.Address, "tank", 1000, owner);
        loop.Handler.Connected(loop);
        loop.Give(input[1..], input[0] == 0 ? int.MaxValue : input[0]);
        loop.End();
        return owner.Answers > 0 && !owner.IsBroken;
    }

    private static byte[] Reply(uint error, ulong cookie)
    {
        var bytes = new byte[NbdSimpleReply.Size];
        new NbdSimpleReply((NbdError)error, cookie).Write(bytes);
        return bytes;
    }

    private static byte[] U32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] U64(ulong value) => [.. U32((uint)(value >> 32)), .. U32((uint)value)];

    private sealed class Owner : INbdClientOwner
    {
        public int Answers { get; private set; }

        public bool IsBroken { get; private set; }

        public void Ready(NbdClient client)
        {
            client.Send(new NbdCall { Command = NbdCommand.Read, Issued = 1, LengthBytes = ReadBytes, Data = new byte[ReadBytes] }, false, null);
            client.Send(new NbdCall { Command = NbdCommand.Flush, Issued = 2 }, false, null);
            client.Send(new NbdCall { Command = NbdCommand.Read, Issued = 3 }, false, null);
        }

        public void Answered(NbdCall call, NbdError error) => Answers++;

        public void Broken(string sentence) => IsBroken = true;

        public void Closed(NbdClient client, bool wasReady, string reason)
        {
        }
    }
}
