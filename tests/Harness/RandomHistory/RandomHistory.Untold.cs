using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Tags;
using MirrorController.Tests.Harness.Checker;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <content>What no table tells of is equal and durable everywhere, at any moment (rule 4).</content>
public sealed partial class RandomHistory
{
    private const int LooksAtUntold = 10;

    private int _looks;
    private (long Changes, Tag Retired, int Told) _untoldJudged;

    private void JudgeUntold()
    {
        if (++_looks % LooksAtUntold != 0 || _faults.BoardWithImage is not null)
        {
            return;
        }

        var tables = Tables().ToList();
        if (tables.Count < Cluster.Boards.Count)
        {
            return;
        }

        var told = BlocksToCompare();
        var now = (Cluster.Boards.Sum(b => b.Disk.ChangeCount), tables.Aggregate(Tag.None, (highest, t) => Tag.Max(highest, t.Retired)), told.Count);
        if (_untoldJudged == now)
        {
            return;
        }

        _untoldJudged = now;
        var held = Cluster.Boards.ConvertAll(b => b.Disk.Peek(DataOffset, (int)Plan.SizeBytes));
        for (var b = 0; b < held.Count; b++)
        {
            for (var block = 0; block < Plan.Blocks; block++)
            {
                if (!told.Contains(block))
                {
                    JudgeUntold(b, block, held);
                }
            }
        }
    }

    private void JudgeUntold(int board, int block, List<byte[]> held)
    {
        var (at, name) = (block * Plan.BlockBytes, Cluster.Boards[board].Name);
        var bytes = held[board].AsSpan(at, Plan.BlockBytes);
        if (!bytes.SequenceEqual(held[0].AsSpan(at, Plan.BlockBytes)))
        {
            throw new ConsistencyViolationException($"Rule 4: block {block} of {Cluster.Boards[0].Name} and {name} differs, and no table tells of it.");
        }

        for (var within = 0; within < Plan.BlockBytes; within += SimDiskMedia.SectorBytes)
        {
            var sector = bytes.Slice(within, SimDiskMedia.SectorBytes);
            foreach (var left in Cluster.Boards[board].Disk.Remains((DataOffset + at + within) / SimDiskMedia.SectorBytes))
            {
                if (left is null ? sector.ContainsAnyExcept((byte)0) : !sector.SequenceEqual(left))
                {
                    throw new ConsistencyViolationException($"Rule 4: a power cut would change block {block} of {name}, and no table tells of it.");
                }
            }
        }
    }

    /// <summary>Gets the blocks that some board's table tells of.</summary>
    internal HashSet<long> BlocksToCompare() => [.. Tables().SelectMany(BlocksOf)];

    /// <summary>Gets the tables of the boards that have one just now.</summary>
    private IEnumerable<NvmVolume> Tables()
    {
        for (var i = 0; i < Cluster.Boards.Count; i++)
        {
            if (Cluster.Boards[i] is { IsRunning: true, Instance: not null } && Cluster.Board(i).Table is { } table)
            {
                yield return table;
            }
        }
    }

    private static IEnumerable<long> BlocksOf(NvmVolume table)
    {
        for (var e = 0; e < table.Table.Count; e++)
        {
            var range = table.Table[e].Range;
            for (var block = range.Start; block < range.End; block++)
            {
                yield return block;
            }
        }

        foreach (var mark in table.Marks)
        {
            for (var block = mark.Range.Start; block < mark.Range.End; block++)
            {
                yield return block;
            }
        }
    }
}
