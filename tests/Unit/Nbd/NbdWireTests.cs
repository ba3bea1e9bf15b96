using MirrorController.HostAgent.Nbd;

namespace MirrorController.Tests.Unit.Nbd;

public class NbdWireTests
{
    [Fact]
    public void A_request_header_has_the_bytes_of_the_specification()
    {
        var header = new NbdRequestHeader(NbdCommandFlags.Fua, NbdCommand.Write, 0x0102030405060708, 0x1112131415161718, 0x21222324);
        var bytes = new byte[NbdRequestHeader.Size];
        header.Write(bytes);
        Assert.Equal("25609513000100010102030405060708111213141516171821222324", Convert.ToHexString(bytes));
        Assert.True(NbdRequestHeader.TryRead(bytes, out var read));
        Assert.Equal(header, read);
    }

    [Fact]
    public void A_simple_reply_has_the_bytes_of_the_specification()
    {
        var bytes = new byte[NbdSimpleReply.Size];
        new NbdSimpleReply(NbdError.NoSpace, 0x0102030405060708).Write(bytes);
        Assert.Equal("674466980000001C0102030405060708", Convert.ToHexString(bytes));
    }

    [Theory]
    [InlineData(0, 0, 0UL, 100U, 0)]
    [InlineData(0, 0, 1UL, 100U, 22)]
    [InlineData(0, 0, ulong.MaxValue, 2U, 22)]
    [InlineData(0, 1, 0UL, 100U, 0)]
    [InlineData(0, 2, 0UL, 1U, 22)]
    [InlineData(1, 0, 0UL, 100U, 0)]
    [InlineData(1, 0, 0UL, 101U, 28)]
    [InlineData(1, 0, 101UL, 0U, 28)]
    [InlineData(1, 0, ulong.MaxValue, 1U, 28)]
    [InlineData(1, 4, 0UL, 1U, 22)]
    [InlineData(3, 1, 0UL, 0U, 0)]
    [InlineData(3, 0, 1UL, 0U, 22)]
    [InlineData(4, 0, 0UL, 1U, 22)]
    [InlineData(6, 0, 0UL, 1U, 22)]
    [InlineData(7, 0, 0UL, 1U, 22)]
    [InlineData(999, 0, 0UL, 1U, 22)]
    public void A_request_for_a_volume_of_100_bytes_is_judged_as_the_specification_asks(ushort command, ushort flags, ulong offset, uint length, uint error) =>
        Assert.Equal((NbdError)error, new NbdRequestHeader((NbdCommandFlags)flags, (NbdCommand)command, 0, offset, length).Judge(100));

    [Fact]
    public void A_read_longer_than_the_longest_payload_is_invalid()
    {
        var size = 1L << 40;
        Assert.Equal(NbdError.None, new NbdRequestHeader(0, NbdCommand.Read, 0, 0, 32 << 20).Judge(size));
        Assert.Equal(NbdError.Invalid, new NbdRequestHeader(0, NbdCommand.Read, 0, 0, (32 << 20) + 1).Judge(size));
    }
}
