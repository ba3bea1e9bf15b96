using System.Text;
using CsCheck;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Unit.Wire;

public sealed class Crc32CTests
{
    [Fact]
    public void The_check_value_of_the_standard_comes_out() =>
        Assert.Equal(0xE3069283u, Crc32C.Compute(Encoding.ASCII.GetBytes("123456789")));

    [Fact]
    public void Any_length_in_any_parts_gives_the_plain_definition_s_result() =>
        Gen.Select(Gen.Byte.Array[0, 9000], Gen.Int[0, 9000]).Sample((bytes, cut) =>
        {
            cut = Math.Min(cut, bytes.Length);
            Assert.Equal(Plain(bytes), Crc32C.Compute(bytes));
            Assert.Equal(Plain(bytes), Crc32C.Finish(Crc32C.AppendLanes(Crc32C.Start, bytes)));
            Assert.Equal(Plain(bytes), Crc32C.Finish(Crc32C.Append(Crc32C.Append(Crc32C.Start, bytes.AsSpan(0, cut)), bytes.AsSpan(cut))));
        }, iter: 200);

    private static uint Plain(byte[] bytes)
    {
        var crc = 0xFFFFFFFFu;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78u : crc >> 1;
            }
        }

        return ~crc;
    }
}
