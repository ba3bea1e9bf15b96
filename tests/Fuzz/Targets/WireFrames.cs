using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>The frame reader, with a stream that arrives in pieces. First byte: how long the pieces are.</summary>
internal sealed class WireFrames() : FuzzTarget("wire-frames", "a peer's connection")
{
    public override long AllocationFixedBytes => 64 * 1024;

    // Every piece is a slice of its own.
    public override int AllocationPerInputByte => 400;

    public override IEnumerable<byte[]> Seeds()
    {
        byte[] frames =
        [
            .. FrameBytes.Make(new FrameHeader { Command = Command.Ping }),
            .. FrameBytes.Make(new FrameHeader { Command = Command.Hello }, WireSamples.Body(WireSamples.Hello.WriteTo)),
            .. FrameBytes.Make(new FrameHeader { Command = Command.Write, Count = 1 }, new byte[512]),
        ];
        return [[0, .. frames], [1, .. frames], [90, .. frames]];
    }

    public override void Seal(Span<byte> input)
    {
        if (input.Length > 0)
        {
            FrameBytes.Seal(input[1..]);
        }
    }

    public override bool Run(ReadOnlySpan<byte> input)
    {
        var frames = new Frames();
        var reader = new FrameReader(frames);
        frames.Reader = reader;
        var piece = input.Length == 0 || input[0] == 0 ? int.MaxValue : input[0];
        string? wrong = null;
        var whole = Slice.Copy(input);
        for (var at = 1; at < input.Length && wrong is null; at += Math.Min(piece, input.Length - at))
        {
            wrong = reader.Take(whole.Part(at, Math.Min(piece, input.Length - at)));
        }

        whole.Release();

        reader.Stop();
        if (wrong is { Length: 0 })
        {
            throw new InvalidOperationException("refused without a sentence");
        }

        return wrong is null && frames.Count > 0;
    }

    private sealed class Frames : IFrameHandler
    {
        public int Count { get; private set; }

        public FrameReader? Reader { get; set; }

        public void Frame(in FrameHeader header, Payload? payload)
        {
            Count++;
            if ((payload?.Length ?? 0) != header.PayloadLength)
            {
                throw new InvalidOperationException("a frame was handed on before it was whole");
            }

            // A handler may close the connection at any frame.
            if (header.Tag == 77)
            {
                Reader!.Stop();
            }
        }
    }
}
