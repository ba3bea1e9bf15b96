using CsCheck;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Unit.Wire;

/// <summary>What the tests of this folder draw.</summary>
internal static class WireGen
{
    public static readonly Gen<VolumeId> Volume = Gen.Select(Gen.ULong, Gen.ULong, (high, low) => new VolumeId(high, low));

    public static readonly Gen<SessionId> Session = Gen.Select(Gen.UInt[0, SessionId.MaxNumber], Gen.ULong, (number, id) => new SessionId(number, id));

    public static readonly Gen<string> Text = Gen.String[Gen.OneOf(Gen.Char['a', 'z'], Gen.Char['à', 'ż']), 0, 40];

    /// <summary>Headers whose every field is any value that a header may have; the payload's fields are the sender's business.</summary>
    public static readonly Gen<FrameHeader> Header = Gen.Select(
        Gen.Select(Gen.UShort, Gen.UShort[0, (ushort)FrameFlags.All], Gen.ULong, Gen.UInt, Gen.UInt),
        Gen.Select(Gen.ULong, Gen.ULong, Gen.Long, Gen.Int, Gen.UShort),
        Gen.Select(Gen.UShort, Gen.ULong, Gen.ULong),
        (a, b, c) => new FrameHeader
        {
            Command = (Command)a.Item1,
            Flags = (FrameFlags)a.Item2,
            RequestId = a.Item3,
            VolumeKey = a.Item4,
            Session = a.Item5,
            BootId = b.Item1,
            Tag = b.Item2,
            Address = b.Item3,
            Count = b.Item4,
            Generator = b.Item5,
            Status = (WireStatus)c.Item1,
            Watermark = c.Item2,
            Token = c.Item3,
        });

    /// <summary>A view with some history, as an opening finds it.</summary>
    public static View SomeView(long sizeBytes = 1L << 30, int members = 3) => View
        .First(new SessionId(3, 0xA1), 0x11, MemberSet.Range(members), sizeBytes)
        .Next(new SessionId(4, 0xA2), 0x22, MemberSet.Of(0));
}
