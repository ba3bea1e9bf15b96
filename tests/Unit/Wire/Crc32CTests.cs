using CsCheck;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Unit.Wire;

public sealed class Crc32CTests
{
    [Fact]
    public void The_check_value_of_the_polynomial_is_right()
    {
        Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));
        Assert.Equal(0u, Crc32C.Compute([]));
    }

    [Fact]
    public void A_payload_of_several_slices_has_the_CRC_of_the_whole()
    {
        Gen.Select(Gen.Byte.Array[1, 200], Gen.Int[1, 50]).Sample((bytes, step) =>
        {
            var payload = new Payload();
            for (var at = 0; at < bytes.Length; at += step)
            {
                var slice = Slice.Copy(bytes.AsSpan(at, Math.Min(step, bytes.Length - at)));
                payload.Append(slice);
                slice.Release();
            }

            Assert.Equal(Crc32C.Compute(bytes), payload.Crc);
        });
    }
}
