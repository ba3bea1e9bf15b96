using CsCheck;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Unit.Wire;

public sealed class FrameReaderTests
{
    private static readonly Gen<(FrameHeader Header, byte[] Payload)> Frame = Gen.Select(WireGen.Header, Gen.Byte.Array[0, 300], (h, p) => (h, p));

    [Fact]
    public void Frames_come_whole_and_in_order_however_the_stream_is_cut()
    {
        Gen.Select(Frame.Array[1, 6], Gen.Int[1, 400].Array[1, 8]).Sample((frames, cuts) =>
        {
            var stream = Stream(frames, out _);
            var handler = new Recorder();
            var lent = Feed(new FrameReader(handler), stream, cuts, out var wrong);
            Assert.Null(wrong);
            Assert.Equal(frames.Length, handler.Frames.Count);
            for (var i = 0; i < frames.Length; i++)
            {
                AssertSame(frames[i], handler.Frames[i]);
            }

            Assert.All(lent, slice => Assert.Equal(0, slice.Chunk.References));
        });
    }

    [Fact]
    public void A_damaged_byte_ends_the_stream_behind_the_frames_before_it()
    {
        Gen.Select(Frame.Array[1, 5], Gen.Int[1, 400].Array[1, 8], Gen.Int[0, int.MaxValue], Gen.Byte[1, 255]).Sample((frames, cuts, place, change) =>
        {
            var stream = Stream(frames, out var ends);
            var at = place % stream.Length;
            stream[at] ^= change;
            var handler = new Recorder();
            var reader = new FrameReader(handler);
            var lent = Feed(reader, stream, cuts, out var wrong);
            Assert.NotNull(wrong);
            Assert.Equal(ends.Count(end => end <= at), handler.Frames.Count);
            for (var i = 0; i < handler.Frames.Count; i++)
            {
                AssertSame(frames[i], handler.Frames[i]);
            }

            reader.Stop();
            Assert.All(lent, slice => Assert.Equal(0, slice.Chunk.References));
        });
    }

    [Fact]
    public void Any_bytes_whatever_are_refused_or_waited_for_and_never_held_beyond_one_payload()
    {
        Gen.Select(Gen.Byte.Array[0, 2000], Gen.Bool, Gen.Int[1, 400].Array[1, 8]).Sample((bytes, hasMagic, cuts) =>
        {
            if (hasMagic && bytes.Length >= 4)
            {
                "MCw1"u8.CopyTo(bytes);
            }

            var handler = new Recorder();
            var reader = new FrameReader(handler);
            var lent = Feed(reader, bytes, cuts, out var wrong);
            Assert.Equal(bytes.Length >= FrameHeader.Size, wrong is not null);
            Assert.Empty(handler.Frames);
            Assert.All(lent, slice => Assert.Equal(0, slice.Chunk.References));
        });
    }

    [Fact]
    public void A_payload_beyond_the_limit_is_refused_before_a_byte_of_it_is_kept()
    {
        var bytes = new byte[FrameHeader.Size + 1000];
        new FrameHeader { Command = Command.Write, PayloadLength = FrameHeader.PayloadMax + 1 }.WriteTo(bytes);
        var lent = Feed(new FrameReader(new Recorder()), bytes, [100], out var wrong);
        Assert.Contains("the limit is 524288", wrong, StringComparison.Ordinal);
        Assert.All(lent, slice => Assert.Equal(0, slice.Chunk.References));
    }

    [Fact]
    public void A_frame_begun_is_kept_without_a_copy_and_let_go_when_the_reader_stops()
    {
        var stream = Stream([(new FrameHeader { Command = Command.Write }, new byte[1000])], out _);
        var handler = new Recorder();
        var reader = new FrameReader(handler);
        var lent = Feed(reader, stream.AsSpan(0, stream.Length - 1).ToArray(), [500], out var wrong);
        Assert.Null(wrong);
        Assert.Empty(handler.Frames);
        Assert.All(lent, slice => Assert.Equal(1, slice.Chunk.References));
        reader.Stop();
        Assert.All(lent, slice => Assert.Equal(0, slice.Chunk.References));
    }

    [Fact]
    public void A_handler_that_stops_the_reader_gets_no_frame_more()
    {
        var frame = (new FrameHeader { Command = Command.Read }, new byte[10]);
        var stream = Stream([frame, frame, frame], out _);
        FrameReader? reader = null;
        var handler = new Recorder { OnFrame = () => reader!.Stop() };
        reader = new FrameReader(handler);
        var lent = Feed(reader, stream, [10_000], out var wrong);
        Assert.Null(wrong);
        Assert.Single(handler.Frames);
        Assert.All(lent, slice => Assert.Equal(0, slice.Chunk.References));
    }

    private static byte[] Stream((FrameHeader Header, byte[] Payload)[] frames, out List<int> ends)
    {
        var bytes = new List<byte>();
        ends = [];
        foreach (var (header, payload) in frames)
        {
            var sent = header;
            sent.PayloadLength = payload.Length;
            sent.PayloadCrc = payload.Length == 0 ? 0 : Crc32C.Compute(payload);
            var head = new byte[FrameHeader.Size];
            sent.WriteTo(head);
            bytes.AddRange(head);
            bytes.AddRange(payload);
            ends.Add(bytes.Count);
        }

        return [.. bytes];
    }

    /// <summary>Lends the stream piece by piece, the way a connection does, and returns the pieces.</summary>
    private static List<Slice> Feed(FrameReader reader, byte[] stream, int[] cuts, out string? wrong)
    {
        var lent = new List<Slice>();
        wrong = null;
        for (int at = 0, i = 0; at < stream.Length && wrong is null; i++)
        {
            var n = Math.Min(cuts[i % cuts.Length], stream.Length - at);
            var slice = Slice.Copy(stream.AsSpan(at, n));
            wrong = reader.Take(slice);
            slice.Release();
            lent.Add(slice);
            at += n;
        }

        return lent;
    }

    private static void AssertSame((FrameHeader Header, byte[] Payload) sent, (FrameHeader Header, byte[] Payload) got)
    {
        sent.Header.PayloadLength = got.Header.PayloadLength;
        sent.Header.PayloadCrc = got.Header.PayloadCrc;
        Assert.Equal(sent.Header, got.Header);
        Assert.Equal(sent.Payload, got.Payload);
    }

    private sealed class Recorder : IFrameHandler
    {
        public List<(FrameHeader Header, byte[] Payload)> Frames { get; } = [];

        public Action? OnFrame { get; init; }

        public void Frame(in FrameHeader header, Payload? payload)
        {
            var copy = new byte[payload?.Length ?? 0];
            payload?.CopyTo(0, copy);
            Frames.Add((header, copy));
            OnFrame?.Invoke();
        }
    }
}
