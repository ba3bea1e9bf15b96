using CsCheck;
using MirrorController.HostAgent.Nbd;
using MirrorController.Protocol.Seams;
using static MirrorController.Tests.Unit.Nbd.NbdClient;

namespace MirrorController.Tests.Unit.Nbd;

public class NbdTransmissionTests
{
    private const int PartBytes = 256 << 10;

    [Fact]
    public void What_is_written_is_read()
    {
        var bench = Going();
        var data = Pattern(10_000, 1);
        bench.Give([.. Write(1, 12_345, data), .. Read(2, 12_344, 10_002)]);
        var replies = Replies(bench.Connection.Sent, new Dictionary<ulong, int> { [2] = 10_002 });
        Assert.Equal(NbdError.None, replies[1].Error);
        Assert.Equal([0, .. data, 0], replies[2].Data);
    }

    [Fact]
    public void Replies_come_in_the_order_in_which_requests_end()
    {
        var bench = Going();
        bench.Volume.IsHeld = true;
        bench.Give([.. Write(1, 0, new byte[512]), .. Flush(2), .. Write(3, 4096, new byte[512])]);
        bench.Volume.EndOne(2);
        bench.Volume.EndOne(0);
        Assert.Equal([(3UL, NbdError.None), (1UL, NbdError.None)], bench.Replies());
        bench.Volume.EndOne();
        Assert.Equal(3, bench.Replies().Count);
    }

    [Fact]
    public void A_long_write_goes_to_the_volume_in_parts_as_they_arrive_and_is_answered_once()
    {
        var bench = Going();
        var begun = Observe(bench);
        var bytes = Write(1, PartBytes - 100, Pattern(PartBytes + 200, 1), flags: 1);
        bench.Give(bytes[..(28 + 99)]);
        Assert.Empty(begun);
        bench.Give(bytes[(28 + 99)..(28 + 100)]);
        Assert.Equal([("fua", PartBytes - 100L, 100)], begun);
        bench.Give(bytes[(28 + 100)..^1]);
        Assert.Equal([("fua", PartBytes - 100L, 100), ("fua", PartBytes, PartBytes)], begun);
        Assert.Empty(bench.Connection.Sent);
        bench.Give(bytes[^1..]);
        Assert.Equal(("fua", PartBytes * 2L, 100), begun[^1]);
        Assert.Equal([(1UL, NbdError.None)], bench.Replies());
    }

    [Fact]
    public void A_long_read_goes_to_the_volume_in_parts_and_is_answered_in_order()
    {
        var bench = Going();
        var data = Pattern((3 * PartBytes) + 11, 1);
        bench.Give(Write(1, 1000, data));
        bench.Connection.Forget();
        bench.Volume.IsHeld = true;
        bench.Give(Read(2, 1000, data.Length));
        Assert.Equal(4, bench.Volume.Pending);
        foreach (var index in new[] { 3, 1, 0, 0 })
        {
            Assert.Empty(bench.Connection.Sent);
            bench.Volume.EndOne(index);
        }

        Assert.Equal(data, Replies(bench.Connection.Sent, new Dictionary<ulong, int> { [2] = data.Length })[2].Data);
    }

    [Fact]
    public void The_first_error_of_a_part_is_the_error_of_the_request()
    {
        var bench = Going();
        bench.Volume.IsHeld = true;
        bench.Volume.Fault = (_, offset, _) => offset == 0 ? VolumeError.Io : offset == PartBytes ? VolumeError.Shutdown : VolumeError.None;
        bench.Give([.. Write(1, 0, new byte[3 * PartBytes]), .. Read(2, 0, 3 * PartBytes)]);
        bench.Volume.EndOne(2);
        bench.Volume.EndOne(1);
        Assert.Empty(bench.Connection.Sent);
        bench.Volume.EndOne(0);
        bench.Volume.EndOne(0);
        bench.Volume.EndOne(1);
        bench.Volume.EndOne(0);
        Assert.Equal([(1UL, NbdError.Shutdown), (2UL, NbdError.Io)], bench.Replies());
        Assert.Equal(0, bench.Volume.Pending);
    }

    [Fact]
    public void After_a_part_has_failed_the_rest_of_the_write_is_dropped()
    {
        var bench = Going();
        var begun = Observe(bench);
        bench.Volume.Fault = (_, _, _) => VolumeError.Io;
        var bytes = Write(1, 0, new byte[4 * PartBytes]);
        bench.Give([.. bytes, .. Flush(2)], 28 + PartBytes);
        Assert.Equal([("write", 0L, PartBytes), ("flush", 0L, 0)], begun);
        Assert.Equal([(1UL, NbdError.Io), (2UL, NbdError.Io)], bench.Replies());
    }

    public static TheoryData<byte[], uint> Refusals => new()
    {
        { Write(1, (64 << 20) - 10, new byte[11]), 28 },
        { Write(1, 0, new byte[11], flags: 2), 22 },
        { Read(1, (64 << 20) - 10, 11), 22 },
        { Read(1, 0, (32 << 20) + 1), 22 },
        { Request(3, 1, 0, 1), 22 },
        { Request(4, 1, 0, 4096), 22 },
        { Request(6, 1, 0, 4096), 22 },
        { Request(5, 1, 0, 4096), 22 },
        { Request(4711, 1, 0, 4096), 22 },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void A_request_that_cannot_be_is_refused_and_the_next_one_understood(byte[] request, uint error)
    {
        var bench = Going();
        bench.Give([.. request, .. Flush(2)]);
        Assert.Equal([(1UL, (NbdError)error), (2UL, NbdError.None)], bench.Replies());
        Assert.True(bench.Connection.IsOpen);
        bench.AssertNothingLeaks();
    }

    [Fact]
    public void Requests_of_no_length_are_answered()
    {
        var bench = Going();
        bench.Give([.. Read(1, 5, 0), .. Write(2, 5, []), .. Read(3, 64 << 20, 0)]);
        Assert.Equal([(1UL, NbdError.None), (2UL, NbdError.None), (3UL, NbdError.None)], bench.Replies());
    }

    [Fact]
    public void Fua_is_accepted_where_it_has_no_effect()
    {
        var bench = Going();
        bench.Give(Flush(1, flags: 1));
        bench.Give(Request(0, 2, 0, 0, flags: 1));
        Assert.Equal([(1UL, NbdError.None), (2UL, NbdError.None)], bench.Replies());
    }

    public static TheoryData<byte[]> Breaches => new()
    {
        { new byte[28] },
        { Request(1, 1, 0, (32 << 20) + 1) },
    };

    [Theory]
    [MemberData(nameof(Breaches))]
    public void A_client_out_of_step_is_disconnected_with_one_sentence(byte[] bytes)
    {
        var bench = Going();
        bench.Give([.. bytes, .. Flush(2)]);
        Assert.False(bench.Connection.IsOpen);
        Assert.Single(bench.Log.Warnings);
        Assert.Empty(bench.Connection.Sent);
    }

    [Fact]
    public void Each_client_writes_under_a_generator_of_its_own()
    {
        var bench = Going();
        var generators = new List<int>();
        bench.Volume.Observer = (_, _, _, generator) => generators.Add(generator);
        bench.Give(Write(1, 0, new byte[1]));
        bench.Connect();
        bench.Go();
        bench.Give(Write(1, 0, new byte[1]));
        Assert.Equal([1, 2], generators);
        bench.Vanish();
        Assert.Equal([1], bench.Volume.Generators);
    }

    /// <summary>One step of a random dialogue.</summary>
    private sealed record Step(ushort Command, int Offset, int Length);

    private static readonly Gen<Step> GenStep = Gen.Select(
        Gen.Frequency((4, Gen.Const((ushort)0)), (5, Gen.Const((ushort)1)), (1, Gen.Const((ushort)3)), (1, Gen.Const((ushort)4))),
        Gen.Int[0, 1_100_000],
        Gen.Frequency((5, Gen.Int[0, 5_000]), (1, Gen.Int[0, 600_000])),
        (command, offset, length) => new Step(command, offset, length));

    [Fact]
    public void Any_split_of_the_stream_gives_the_replies_of_the_model() =>
        Gen.Select(GenStep.Array[1, 12], Gen.Frequency((3, Gen.Int[1, 100]), (1, Gen.Int[1, 300_000])).Array[1, 200], Gen.Bool)
            .Sample((steps, cuts, byBytes) => Converse(steps, byBytes ? [.. Enumerable.Repeat(1, 3_000), .. cuts] : cuts), iter: 150, threads: 1);

    private static void Converse(Step[] steps, int[] cuts)
    {
        const int size = 1 << 20;
        var bench = Going(size);
        var model = new byte[size];
        var talk = new List<byte[]>();
        var reads = new Dictionary<ulong, int>();
        var expected = new Dictionary<ulong, (NbdError, byte[])>();
        for (var i = 0; i < steps.Length; i++)
        {
            var (command, offset, length) = steps[i];
            var cookie = (ulong)i + 1;
            var isInside = offset + length <= size;
            var data = command == 1 ? Pattern(length, i) : [];
            talk.Add(command switch { 1 => Write(cookie, offset, data), 3 => Flush(cookie), _ => Request(command, cookie, (ulong)offset, (uint)length) });
            expected.Add(cookie, command switch
            {
                0 => isInside ? (NbdError.None, model[offset..(offset + length)]) : (NbdError.Invalid, []),
                1 => (isInside ? NbdError.None : NbdError.NoSpace, []),
                3 => (NbdError.None, []),
                _ => (NbdError.Invalid, []),
            });
            if (command == 0)
            {
                reads.Add(cookie, length);
            }
            else if (isInside)
            {
                data.CopyTo(model, offset);
            }
        }

        bench.Give([.. talk.SelectMany(t => t)], cuts);
        var replies = Replies(bench.Connection.Sent, reads);
        Assert.Equal(expected.Keys.Order(), replies.Keys.Order());
        foreach (var (cookie, (error, data)) in expected)
        {
            Assert.Equal(error, replies[cookie].Error);
            Assert.True(data.AsSpan().SequenceEqual(replies[cookie].Data));
        }

        bench.AssertNothingLeaks();
    }

    private static NbdBench Going(long sizeBytes = 64 << 20)
    {
        var bench = new NbdBench(sizeBytes);
        bench.Go();
        return bench;
    }

    private static List<(string Kind, long Offset, int Length)> Observe(NbdBench bench)
    {
        var begun = new List<(string, long, int)>();
        bench.Volume.Observer = (kind, offset, length, _) => begun.Add((kind, offset, length));
        return begun;
    }
}
