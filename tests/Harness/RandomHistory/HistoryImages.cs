using MirrorController.Firmware.Array;
using MirrorController.Protocol.Tags;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>Puts old images of chip and disk into a board (rule O5a): it must be found out, never used and never written to.</summary>
/// <remarks>
/// An image younger than the last move of R cannot be told from a board that slept: so one is put in only where another
/// running board's R is above the image's D.
/// </remarks>
internal sealed class HistoryImages(RandomHistory history)
{
    private readonly Dictionary<SimNode, Image> _taken = [];
    private (SimNode Board, Image Image, Image Right)? _inside;

    /// <summary>Gets the board with an old image in it, if there is one.</summary>
    public SimNode? Board => _inside?.Board;

    /// <summary>Takes an image of a board that has none yet, or puts an old one in.</summary>
    /// <returns>True when one was put in.</returns>
    public bool Change(SimNode board, SimRandom random)
    {
        if (_inside is not null || !board.IsRunning || BoardOf(board) is not { Volume: { } volume })
        {
            return false;
        }

        var durable = volume.Nvm.Durable;
        if (_taken.GetValueOrDefault(board) is { } image)
        {
            if (!history.Cluster.Boards.Exists(b => b != board && b.IsRunning && BoardOf(b)?.Volume?.Nvm.Retired > image.Durable))
            {
                return false;
            }

            board.PowerCut(random.OneIn(2));
            _inside = (board, image, Take(board, durable));
            history.World.Note($"{board.Name} gets an old image: its D is {image.Durable}");
            Restore(board, image);
            board.Start();
            return true;
        }

        board.PowerCut(random.OneIn(2));
        history.World.Note($"an image of {board.Name} is taken: its D is {durable}");
        _taken[board] = Take(board, durable);
        board.Start();
        return false;
    }

    /// <summary>Puts the right chip and disk back, if an image is in a board.</summary>
    public void PutBack()
    {
        if (_inside is not { } inside)
        {
            return;
        }

        _inside = null;
        var board = inside.Board;
        board.PowerCut();
        JudgeUntouched(board, inside.Image);
        history.World.Note($"{board.Name} gets back what it had");
        Restore(board, inside.Right);
        board.Start();
    }

    /// <summary>What lies behind the label is as it was.</summary>
    private void JudgeUntouched(SimNode board, Image image)
    {
        var offset = history.DataOffset;
        for (var sector = offset / SimDiskMedia.SectorBytes; sector < (offset + history.Plan.SizeBytes) / SimDiskMedia.SectorBytes; sector++)
        {
            var now = board.Disk.Peek(sector * SimDiskMedia.SectorBytes, SimDiskMedia.SectorBytes);
            var then = image.Disk.GetValueOrDefault(sector) ?? new byte[SimDiskMedia.SectorBytes];
            if (!now.AsSpan().SequenceEqual(then))
            {
                throw new Checker.ConsistencyViolationException($"Rule O5a: the old image in {board.Name} was written to, in sector {sector} of its disk.");
            }
        }
    }

    private static Image Take(SimNode board, Tag durable) => new(durable, board.Nvm.Bytes.ToArray(), board.Disk.TakeImage());

    private static void Restore(SimNode board, Image image)
    {
        image.Chip.CopyTo(board.Nvm.Bytes);
        board.Disk.RestoreImage(image.Disk);
    }

    private static BoardNode? BoardOf(SimNode node) => (BoardNode?)node.Instance;

    private sealed record Image(Tag Durable, byte[] Chip, IReadOnlyDictionary<long, byte[]> Disk);
}
