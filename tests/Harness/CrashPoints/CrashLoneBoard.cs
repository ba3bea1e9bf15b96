using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Nvm;
using MirrorController.Tests.Harness.Checker;

namespace MirrorController.Tests.Harness.CrashPoints;

/// <summary>Judges a board that has lost its power by itself, as if it were all that is left: what its chip does not tell of is whole.</summary>
/// <remarks>
/// That is what W4 and R4 promise, and no outcome of a recovery tells while the other board is there: a block without an entry or mark of this
/// board holds one version, not a mixture.
/// </remarks>
internal static class CrashLoneBoard
{
    private const long OpenMs = 100;

    /// <summary>Judges a board's media.</summary>
    /// <param name="board">The board, without power.</param>
    /// <param name="dataOffset">Where block 0 lies on its disk.</param>
    /// <param name="blocks">How many blocks there are.</param>
    /// <param name="isMixed">Which blocks hold several versions rightly, for they were written in parts.</param>
    public static void Judge(SimNode board, long dataOffset, int blocks, Func<long, bool> isMixed)
    {
        var volume = Open(board);
        for (var block = 0; block < blocks; block++)
        {
            if (IsTold(volume, block) || isMixed(block))
            {
                continue;
            }

            var at = (long)block * SimCluster.BlockBytes;
            var data = board.Disk.Peek(dataOffset + at, SimCluster.BlockBytes);
            var first = CheckedWrite.VersionIn(data.AsSpan(0, CheckedWrite.CellBytes), at);
            for (var cell = 0; cell < data.Length; cell += CheckedWrite.CellBytes)
            {
                if (first is null || CheckedWrite.VersionIn(data.AsSpan(cell, CheckedWrite.CellBytes), at + cell) != first)
                {
                    throw new ConsistencyViolationException(
                        $"Rules W4 and R4: block {block} of {board.Name} is a mixture, and neither an entry nor a mark of this board tells of it.");
                }
            }
        }
    }

    private static bool IsTold(NvmVolume volume, long block)
    {
        for (var i = 0; i < volume.Table.Count; i++)
        {
            if (volume.Table[i].Range.Contains(new BlockRange(block, 1)))
            {
                return true;
            }
        }

        return volume.Marks.Any(m => m.Range.Contains(new BlockRange(block, 1)));
    }

    /// <summary>Opens a copy of the chip in a world of its own.</summary>
    private static NvmVolume Open(SimNode board)
    {
        var world = new SimWorld(1);
        var node = new SimNode(world, board.Name, context =>
        {
            var store = new NvmStore(context.Loop, context.Nvm, context.Random, context.Log);
            _ = store.OpenAsync();
            return store;
        });
        var chip = board.Nvm.PageBytes == 1 ? node.AddFram(board.Nvm.SizeBytes) : node.AddEeprom(board.Nvm.SizeBytes, board.Nvm.PageBytes);
        board.Nvm.Bytes.CopyTo(chip.Bytes);
        node.Start();
        world.RunFor(OpenMs);
        return ((NvmStore)node.Instance!).Volume(0) ?? throw new ConsistencyViolationException($"The chip of {board.Name} holds no volume any more.");
    }
}
