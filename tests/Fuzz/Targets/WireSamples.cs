using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>Valid records, to be damaged.</summary>
public static class WireSamples
{
    public const long SizeBytes = 1L << 30;

    public static View View { get; } = View
        .First(new SessionId(3, 0xA1), 0x11, MemberSet.Range(3), SizeBytes)
        .Next(new SessionId(4, 0xA2), 0x22, MemberSet.Of(0));

    public static Hello Hello { get; } = new()
    {
        Role = HelloRole.Coordinator,
        Volume = new VolumeId(3, 4),
        VolumeName = "tank",
        Member = 1,
        Session = new SessionId(9, 0xAA),
        BootId = 7,
        Nonce = new byte[Hello.NonceSize],
    };

    public static BoardState State { get; } = new()
    {
        Board = "pi-a",
        Condition = BoardCondition.Member,
        Reason = "none",
        BootId = 0x1111222233334444,
        StartCounter = 17,
        Volume = new VolumeId(1, 2),
        VolumeName = "tank",
        Member = 1,
        BlockBytes = 4096,
        SizeBytes = SizeBytes,
        Session = new SessionId(9, 0xAA),
        CoordinatorSession = new SessionId(8, 0xBB),
        Durable = Tag.Of(9, 5),
        Retired = Tag.Of(9, 4),
        CapacityEntries = 1000,
        Entries = 3,
        Marks = 2,
        ReplayDone = true,
        View = View,
        NvmKind = "fram MB85RC256V",
        NvmSizeBytes = 32768,
        Disk = "file disk.img",
        DiskBytes = 2L << 30,
        DataOffsetBytes = 1 << 20,
    };

    public static CreateRequest Creation { get; } = new()
    {
        Volume = new VolumeId(3, 4),
        Name = "tank",
        Member = 1,
        BlockBytes = 4096,
        SizeBytes = SizeBytes,
        SizeMaxBytes = 1L << 34,
        View = View,
    };

    public static TableReport Table { get; } = MakeTable();

    public static byte[] Body(Action<WireWriter> write)
    {
        var writer = new WireWriter();
        write(writer);
        return writer.Written.ToArray();
    }

    public static byte[] Bytes(int size, Action<byte[]> write)
    {
        var bytes = new byte[size];
        write(bytes);
        return bytes;
    }

    private static TableReport MakeTable()
    {
        var table = new TableReport();
        table.Entries.Add(new ReportedEntry(Tag.Of(9, 5), 2, new BlockRange(0x10, 3), true, 0x99));
        table.Entries.Add(new ReportedEntry(Tag.Of(9, 6), 2, new BlockRange(0x1000, 64), false, 0x9A));
        table.Marks.Add(new ReportedMark(new BlockRange(0x20, 4), 9, 6));
        return table;
    }
}
