using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Harness.CrashPoints;

/// <summary>The stories that are cut everywhere. In each, blocks 0 to 11 were written, flushed and retired before.</summary>
public static class CrashScenarios
{
    private const int Block = SimCluster.BlockBytes;

    /// <summary>Gets them all.</summary>
    public static IReadOnlyList<CrashScenario> All { get; } =
    [
        new() { Name = "single-write", Play = SingleWrite },
        new() { Name = "single-write-eeprom", IsEeprom = true, Play = SingleWrite },
        new() { Name = "two-overlapping", FlushesInBackground = false, Play = TwoOverlapping },
        new() { Name = "two-overlapping-3", Boards = 3, IsEeprom = true, FlushesInBackground = false, Play = TwoOverlapping },
        new() { Name = "write-flush", FlushesInBackground = false, Play = WriteFlush },
        new() { Name = "fua-over-older", IsEeprom = true, FlushesInBackground = false, Play = FuaOverOlder },
        new() { Name = "unaligned", FlushesInBackground = false, Play = Unaligned },
        new() { Name = "full-table", FlushesInBackground = false, Prepare = FillTable, Play = WriteIntoFullTable },
        new() { Name = "ring-wrap", Prepare = ApproachSegmentEnd, Play = WriteOverSegmentEnd },
        new() { Name = "ring-wrap-eeprom", IsEeprom = true, Prepare = ApproachSegmentEnd, Play = WriteOverSegmentEnd },
        new() { Name = "board-restart", FlushesInBackground = false, Prepare = WriteUnflushed, Play = RestartBoard },
        new() { Name = "failed-sync", FlushesInBackground = false, Prepare = WriteUnflushed, Play = FailSync },
        new() { Name = "recovery", FlushesInBackground = false, Prepare = Diverge, Play = Recover },
        new() { Name = "recovery-3", Boards = 3, IsEeprom = true, FlushesInBackground = false, Prepare = Diverge, Play = Recover },
        new() { Name = "unreadable", FlushesInBackground = false, Prepare = DivergeUnreadably, Play = Recover },
        new() { Name = "unreadable-everywhere", FlushesInBackground = false, Prepare = DivergeAndSpoil, Play = RecoverTwice, AfterCut = Unspoil },
        new() { Name = "creation", IsCreated = false, Play = Create },
        new() { Name = "creation-eeprom", IsEeprom = true, IsCreated = false, Play = Create },
        new() { Name = "close-reopen", FlushesInBackground = false, Play = CloseAndReopen },
        new() { Name = "host-replaced", FlushesInBackground = false, Play = ReplaceHost },
    ];

    /// <summary>Finds one by its name; null if there is none.</summary>
    public static CrashScenario? Find(string name) => All.FirstOrDefault(s => s.Name == name);

    private static void SingleWrite(CrashStory s)
    {
        s.Await(s.WriteBlocks(2, 2));
        s.RunFor(100);
    }

    private static void TwoOverlapping(CrashStory s)
    {
        var first = s.WriteBlocks(2, 2);
        var second = s.WriteBlocks(3, 2);
        var third = s.WriteBlocks(2, 3);
        s.Await(first, second, third, s.ReadBlocks(2, 3));
        s.RunFor(5);
    }

    private static void WriteFlush(CrashStory s)
    {
        s.Await(s.WriteBlocks(2, 2));
        var flush = s.Flush();
        var behind = s.WriteBlocks(3, 1);
        s.Await(flush, behind);
        s.RunFor(50);
    }

    private static void FuaOverOlder(CrashStory s)
    {
        s.Await(s.WriteBlocks(2, 2));
        s.Await(s.WriteBlocks(3, 2, fua: true));
        s.RunFor(5);
    }

    private static void Unaligned(CrashStory s)
    {
        var within = s.Write((2 * Block) + 1024, 512);
        var across = s.Write((3 * Block) - 1024, 2048 + 64);
        s.Await(within, across);
        s.Await(s.Flush());
    }

    /// <summary>Leaves room for one entry.</summary>
    private static void FillTable(CrashStory s)
    {
        var capacity = s.Cluster.Board(0).Table!.CapacityEntries;
        for (var i = 0; i < capacity - 1; i++)
        {
            s.Await(s.WriteBlocks(i % 4));
        }
    }

    private static void WriteIntoFullTable(CrashStory s)
    {
        var writes = Enumerable.Range(0, 4).Select(i => s.WriteBlocks(2 + i)).ToArray();
        s.Await(writes);
        s.RunFor(50);
    }

    /// <summary>Writes until the next records of the ring log reach the end of a segment.</summary>
    private static void ApproachSegmentEnd(CrashStory s)
    {
        const int NearBytes = 100;
        if (!NvmLayout.TryMake(s.Scenario.ChipBytes, s.Boards[0].Nvm.PageBytes, 1, out var layout, out var fault))
        {
            throw new InvalidOperationException(fault);
        }

        var before = 0;
        for (var i = 0; ; i++)
        {
            s.Await(s.WriteBlocks(i % 4));
            s.Await(s.Flush());
            s.RunFor(30);
            var at = (s.Boards[0].Nvm.LastWriteEnd - layout.RingOffset) % layout.SegmentBytes;
            if (at > layout.SegmentBytes - NearBytes && i > 10)
            {
                return;
            }

            if (at < before && i > 10)
            {
                // Stepped over the end within one round: the next segment, then.
                before = 0;
            }

            before = at;
        }
    }

    private static void WriteOverSegmentEnd(CrashStory s)
    {
        s.Await(s.WriteBlocks(1, 2), s.WriteBlocks(3), s.WriteBlocks(2));
        s.Await(s.Flush());
        s.Await(s.WriteBlocks(5));
        s.RunFor(60);
    }

    private static void WriteUnflushed(CrashStory s)
    {
        s.Await(s.WriteBlocks(2, 2));
        s.Await(s.WriteBlocks(3, 2));
    }

    private static void RestartBoard(CrashStory s)
    {
        s.Boards[1].PowerCut();
        var behind = s.WriteBlocks(4, 2);
        s.Boards[1].Start();
        s.Await(behind, s.ReadBlocks(2, 4));
        s.Await(s.Flush());
    }

    private static void FailSync(CrashStory s)
    {
        s.Boards[0].Disk.Faults.FailSyncs = 1;
        var flush = s.Flush();
        var behind = s.WriteBlocks(4, 2);
        s.Await(flush, behind);
        s.RunFor(5);
    }

    /// <summary>Block 2 is new on all but the second board, block 5 on all but the first, which have entries there; 7 and 8 on the first one only.</summary>
    private static void Diverge(CrashStory s)
    {
        s.Await(s.WriteBlocks(1, 2));
        FailWrites(s, 1, block: 2);
        FailWrites(s, 0, block: 5);
        var writes = new[] { s.WriteBlocks(2), s.WriteBlocks(5), s.WriteBlocks(10) };
        s.Await(writes[2]);
        s.RunFor(20);
        s.Tap.Holds = f => f.Header.Command == Command.Write && f.To != s.Boards[0].Name;
        s.WriteBlocks(7, 2);
        s.RunFor(20);
        s.CutHost();
        s.Boards.ForEach(b => b.Disk.Faults.Judge = null);
        // What was held up does not arrive any more: its connections have gone by then.
        s.RunFor(20);
        s.Tap.Release();
    }

    /// <summary>The same, and the first board cannot read block 7, nor the second one block 5, until they are written again.</summary>
    private static void DivergeUnreadably(CrashStory s)
    {
        Diverge(s);
        FailReads(s, 0, block: 7);
        FailReads(s, 1, block: 5);
    }

    private static void Recover(CrashStory s)
    {
        s.StartHost();
        s.WaitInSync();
        s.RunFor(20);
    }

    /// <summary>The same, and blocks 2, 7 and 8 can be read nowhere for a while.</summary>
    private static void DivergeAndSpoil(CrashStory s)
    {
        Diverge(s);
        foreach (var board in s.Boards)
        {
            board.Disk.Faults.Spoiled.Add((s.Cluster.DataOffset + (2 * Block), Block));
            board.Disk.Faults.Spoiled.Add((s.Cluster.DataOffset + (7 * Block), 2 * Block));
        }
    }

    private static void Unspoil(CrashStory s) => s.Boards.ForEach(b => b.Disk.Faults.Spoiled.Clear());

    /// <summary>The first time they have to be left, the second time they are there again.</summary>
    private static void RecoverTwice(CrashStory s)
    {
        Recover(s);
        Unspoil(s);
        s.CutHost();
        s.RunFor(20);
        Recover(s);
    }

    private static void Create(CrashStory s)
    {
        s.Boards.ForEach(b => b.Start());
        s.CreateVolume();
        s.StartHost();
        s.WaitInSync();
        s.Await(s.WriteBlocks(2));
    }

    private static void CloseAndReopen(CrashStory s)
    {
        s.Await(s.WriteBlocks(2, 2), s.WriteBlocks(3, 2));
        s.StopHost();
        s.StartHost();
        s.WaitInSync();
    }

    private static void ReplaceHost(CrashStory s)
    {
        s.Await(s.WriteBlocks(2, 2));
        s.WriteBlocks(3, 2);
        s.StartHost(1);
        s.WaitInSync();
        s.Await(s.ReadBlocks(2, 4), s.WriteBlocks(4, 2));
        s.Await(s.Flush());
    }

    private static void FailWrites(CrashStory s, int board, long block)
    {
        var at = s.Cluster.DataOffset + (block * Block);
        s.Boards[board].Disk.Faults.Judge = (operation, offset, length) =>
            operation is SimDiskOperation.Write or SimDiskOperation.WriteSync && offset <= at && at < offset + length ? "The write failed." : null;
    }

    private static void FailReads(CrashStory s, int board, long block)
    {
        var at = s.Cluster.DataOffset + (block * Block);
        var isBad = true;
        s.Boards[board].Disk.Faults.Judge = (operation, offset, length) =>
        {
            if (offset > at || at >= offset + length)
            {
                return null;
            }

            isBad &= operation == SimDiskOperation.Read;
            return isBad ? "Reading failed: Input/output error." : null;
        };
    }
}
