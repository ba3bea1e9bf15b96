using CsCheck;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Unit.Wire;

/// <summary>HELLO and the proof of the secret; the example is that of docs/wire-protocol.md.</summary>
public sealed class HelloTests
{
    private static readonly byte[] Secret = Counting(0x00, 32);
    private static readonly byte[] ListenerNonce = Counting(0x30, Hello.NonceSize);

    private static Hello Example => new()
    {
        Role = HelloRole.Coordinator,
        Volume = VolumeId.Read(Counting(0x10, VolumeId.Size)),
        VolumeName = "tank",
        Member = 0,
        Session = new SessionId(5, 0xA1A2A3A4A5A6A7A8),
        BootId = 0,
        Nonce = Counting(0x20, Hello.NonceSize),
    };

    [Fact]
    public void The_bytes_of_a_hello_are_pinned()
    {
        Assert.Equal(
            "0100" + "0100" + "01" + "00" + "0000" + "101112131415161718191A1B1C1D1E1F" + "05000000" + "A8A7A6A5A4A3A2A1" + "0000000000000000"
            + "202122232425262728292A2B2C2D2E2F" + "0400" + "74616E6B",
            Convert.ToHexString(Body(Example)));
    }

    [Fact]
    public void The_proofs_of_the_example_are_pinned()
    {
        Assert.Equal("C29D4B8BF4F443FAB2857887572CC7A04C603116F08E337F06FE81BE906C12AF", Convert.ToHexString(HelloProof.OfListener(Secret, Body(Example), ListenerNonce)));
        Assert.Equal("078351AD8F85D82B834D5EB823BE3B6AEF89EA022D51D673761AAFB3568AAD60", Convert.ToHexString(HelloProof.OfCaller(Secret, Body(Example), ListenerNonce)));
    }

    [Fact]
    public void A_proof_differs_by_side_nonces_secret_and_every_byte_of_the_hello()
    {
        var body = Body(Example);
        var proofs = new HashSet<string> { Convert.ToHexString(HelloProof.OfListener(Secret, body, ListenerNonce)) };
        Assert.True(proofs.Add(Convert.ToHexString(HelloProof.OfCaller(Secret, body, ListenerNonce))));
        Assert.True(proofs.Add(Convert.ToHexString(HelloProof.OfListener(Counting(1, 32), body, ListenerNonce))));
        Assert.True(proofs.Add(Convert.ToHexString(HelloProof.OfListener(Secret, body, Counting(0x31, Hello.NonceSize)))));
        for (var i = 0; i < body.Length; i++)
        {
            var other = (byte[])body.Clone();
            other[i] ^= 1;
            Assert.True(proofs.Add(Convert.ToHexString(HelloProof.OfListener(Secret, other, ListenerNonce))), $"byte {i} of the HELLO is not proven");
        }
    }

    [Fact]
    public void Proofs_are_equal_only_as_a_whole()
    {
        var proof = HelloProof.OfCaller(Secret, Body(Example), ListenerNonce);
        Assert.True(HelloProof.AreEqual(proof, (byte[])proof.Clone()));
        Assert.False(HelloProof.AreEqual(proof, proof.AsSpan(1)));
        proof[31] ^= 1;
        Assert.False(HelloProof.AreEqual(proof, HelloProof.OfCaller(Secret, Body(Example), ListenerNonce)));
    }

    [Fact]
    public void What_was_written_is_read()
    {
        Gen.Select(
            Gen.Select(Gen.Byte[1, 4], WireGen.Volume, WireGen.Text, Gen.UShort),
            Gen.Select(WireGen.Session, Gen.ULong, Gen.Byte.Array[Hello.NonceSize])).Sample((a, b) =>
        {
            var hello = new Hello
            {
                Role = (HelloRole)a.Item1, Volume = a.Item2, VolumeName = a.Item3, Member = a.Item4, Session = b.Item1, BootId = b.Item2, Nonce = b.Item3,
            };
            var read = Hello.Read(new WireReader(Body(hello)), out var wrong);
            Assert.Empty(wrong);
            Assert.Equal(hello.Nonce, read!.Nonce);
            Assert.Equal(hello, read with { Nonce = hello.Nonce });
        });
    }

    [Fact]
    public void Every_truncation_and_a_byte_too_many_are_refused()
    {
        var body = Body(Example);
        for (var n = 0; n < body.Length; n++)
        {
            Assert.Null(Hello.Read(new WireReader(body[..n]), out var wrong));
            Assert.NotEmpty(wrong);
        }

        Assert.Null(Hello.Read(new WireReader([.. body, 0]), out _));
    }

    [Theory]
    [InlineData(0, 2, "wire versions 2 to 1, this board speaks version 1")]
    [InlineData(2, 0, "wire versions 1 to 0, this board speaks version 1")]
    [InlineData(4, 0, "malformed")]
    [InlineData(4, 5, "malformed")]
    [InlineData(5, 1, "malformed")]
    [InlineData(27, 1, "malformed")]
    public void A_wrong_byte_is_refused_with_a_sentence(int offset, byte value, string part)
    {
        var body = Body(Example);
        body[offset] = value;
        Assert.Null(Hello.Read(new WireReader(body), out var wrong));
        Assert.Contains(part, wrong, StringComparison.Ordinal);
    }

    [Fact]
    public void A_caller_that_speaks_later_versions_too_is_taken()
    {
        var read = Hello.Read(new WireReader(Body(Example with { OldestWireVersion = 1, NewestWireVersion = 9 })), out _);
        Assert.Equal(9, read!.NewestWireVersion);
        Assert.Null(Hello.Read(new WireReader(Body(Example with { OldestWireVersion = 2, NewestWireVersion = 9 })), out var wrong));
        Assert.Contains("wire versions 2 to 9, this board speaks version 1", wrong, StringComparison.Ordinal);
    }

    private static byte[] Body(Hello hello)
    {
        var writer = new WireWriter();
        hello.WriteTo(writer);
        return writer.Written.ToArray();
    }

    private static byte[] Counting(byte first, int count) => [.. Enumerable.Range(first, count).Select(i => (byte)i)];
}
