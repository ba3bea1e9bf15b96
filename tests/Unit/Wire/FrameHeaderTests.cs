using System.Buffers.Binary;
using CsCheck;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Unit.Wire;

/// <summary>The frame of docs/wire-protocol.md, byte by byte.</summary>
public sealed class FrameHeaderTests
{
    private static FrameHeader Example => new()
    {
        Command = Command.Write,
        Flags = FrameFlags.Fua | FrameFlags.Resent,
        PayloadLength = 16,
        PayloadCrc = 0xD9C908EB,
        RequestId = 0x0102030405060708,
        VolumeKey = 0x44332211,
        Session = 7,
        BootId = 0xB0B1B2B3B4B5B6B7,
        Tag = Tag.Of(7, 3).Value,
        Address = 0x1122334455,
        Count = 4096,
        Generator = 9,
        Watermark = Tag.Of(7, 2).Value,
        Token = 77,
    };

    [Fact]
    public void The_bytes_of_a_write_are_pinned()
    {
        Assert.Equal(
            "4D437731" + "1400" + "0300" + "10000000" + "EB08C9D9" + "0807060504030201" + "11223344" + "07000000" + "B7B6B5B4B3B2B1B0"
            + "0300000000070000" + "5544332211000000" + "00100000" + "0900" + "0000" + "0200000000070000" + "4D00000000000000" + "00000000" + "DCE1FCE4",
            Convert.ToHexString(Bytes(Example)));
        Assert.Equal(0xD9C908EBu, Crc32C.Compute(Enumerable.Range(0, 16).Select(i => (byte)i).ToArray()));
    }

    [Fact]
    public void The_bytes_of_a_ping_are_pinned()
    {
        Assert.Equal("4D4377310600" + new string('0', 156) + "8A2D0717", Convert.ToHexString(Bytes(new FrameHeader { Command = Command.Ping })));
    }

    [Fact]
    public void The_numbers_of_commands_flags_and_statuses_are_pinned()
    {
        Assert.Equal(
            "None 0, Hello 1, Challenge 2, Proof 3, Welcome 4, Refused 5, Ping 6, Survey 10, Attach 11, StoreView 12, Collect 13, Create 14, Write 20, Trim 21, "
            + "WriteZeroes 22, Read 23, Flush 24, Retire 25, ReplayDone 26, Hash 30, Copy 31, CopyRead 32, Sync 33, Settle 34, Finish 35, WriteBack 36, Reply 32768",
            string.Join(", ", Enum.GetValues<Command>().Select(c => $"{c} {(ushort)c}")));
        Assert.Equal(
            "None 0, Fua 1, Resent 2, Zeroes 4, Wipe 8, Authority 16, All 31",
            string.Join(", ", Enum.GetValues<FrameFlags>().Select(f => $"{f} {(ushort)f}")));
        Assert.Equal(
            "Ok 0, Fenced 1, WrongBoot 2, DiskFault 3, NvmFault 4, NotNow 5, Invalid 6, StaleAttempt 7, NoSuchVolume 8, NotAccepted 9",
            string.Join(", ", Enum.GetValues<WireStatus>().Select(s => $"{s} {(ushort)s}")));
    }

    [Fact]
    public void Every_field_comes_back()
    {
        Gen.Select(WireGen.Header, Gen.Int[0, FrameHeader.PayloadMax], Gen.UInt).Sample((header, length, crc) =>
        {
            header.PayloadLength = length;
            header.PayloadCrc = crc;
            Assert.Null(FrameHeader.Read(Bytes(header), out var read));
            Assert.Equal(header, read);
        });
    }

    [Fact]
    public void A_change_of_any_bit_is_refused()
    {
        var bytes = Bytes(Example);
        for (var bit = 0; bit < FrameHeader.Size * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotNull(FrameHeader.Read(bytes, out _));
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.Null(FrameHeader.Read(bytes, out _));
    }

    [Fact]
    public void A_strangers_bytes_are_refused_by_the_magic()
    {
        var bytes = new byte[FrameHeader.Size];
        "GET / HTTP/1.1"u8.CopyTo(bytes);
        Assert.Contains("instead of the magic", FrameHeader.Read(bytes, out _), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8, FrameHeader.PayloadMax + 1, "the limit is 524288")]
    [InlineData(8, int.MaxValue, "the limit is 524288")]
    [InlineData(8, -1, "the limit is 524288")]
    [InlineData(80, 1, "reserved bits")]
    [InlineData(80, int.MinValue, "reserved bits")]
    [InlineData(4, 20 | (32 << 16), "reserved bits")]
    [InlineData(4, unchecked((int)0x80000014), "reserved bits")]
    public void A_header_with_right_CRC_and_wrong_content_is_refused(int offset, int value, string part)
    {
        var bytes = Bytes(Example);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(offset), value);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(84), Crc32C.Compute(bytes.AsSpan(0, 84)));
        Assert.Contains(part, FrameHeader.Read(bytes, out _), StringComparison.Ordinal);
    }

    private static byte[] Bytes(FrameHeader header)
    {
        var bytes = new byte[FrameHeader.Size];
        header.WriteTo(bytes);
        return bytes;
    }
}
