using MirrorController.Firmware.Array;
using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Tags;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>Puts old images of chip and disk into a board (rule O5a): it must be found out, never used and never written to.</summary>
/// <remarks>
/// An image younger than the last move of R cannot be told from a board that slept: so one is put in only where another
/// running board's R is above the image's D, or while a coordinator lives that has seen what the board was since; then it is
/// gone before another coordinator looks.
/// </remarks>
internal sealed class HistoryImages(RandomHistory history)
{
    private const int StartsMax = 12;
    private const long StartEveryMicros = 30_000;

    private readonly Dictionary<SimNode, Image> _taken = [];
    private (SimNode Board, Image Image, Image Right, bool IsForSession, bool IsByMarks)? _inside;

    /// <summary>Gets the board that has an old image in it, or null.</summary>
    public SimNode? Board => _inside?.Board;

    /// <summary>Gets whether what is inside can be found out only while the present coordinator lives.</summary>
    public bool IsForSession => _inside is { IsForSession: true };

    /// <summary>Puts an old image into a board if there is one that must be found out, else takes one of a board.</summary>
    /// <returns>True when one was put in.</returns>
    public bool Change(SimNode board, SimRandom random)
    {
        if (_inside is not null)
        {
            return false;
        }

        foreach (var (other, image) in _taken)
        {
            if (!other.IsRunning || BoardOf(other) is not { Volume: { } volume })
            {
                continue;
            }

            var isBelow = history.Cluster.Boards.Exists(b => b != other && b.IsRunning && BoardOf(b)?.Volume?.Nvm.Retired > image.Durable);
            if (isBelow ? random.OneIn(2) : IsKnown(other))
            {
                PutIn(other, image, !isBelow, random);
                return true;
            }
        }

        if (!_taken.ContainsKey(board) && board.IsRunning && BoardOf(board) is { Volume: { } taken })
        {
            var marks = MarksOf(board);
            board.PowerCut(random.OneIn(2));
            history.World.Note($"an image of {board.Name} is taken: its D is {marks.Durable}");
            _taken[board] = Take(board, marks);
            board.Start();
        }

        return false;
    }

    /// <summary>Another coordinator comes, or the one that lives goes: what only that one could find out is put back before.</summary>
    public void HostsChange()
    {
        if (_inside is { IsForSession: true })
        {
            PutBack();
        }
    }

    /// <summary>A board is to start again: what only its start counter told was an image would pass for a board that slept.</summary>
    /// <returns>True if it has started, with what it had.</returns>
    public bool Starts(SimNode board)
    {
        if (_inside is not { IsForSession: true, IsByMarks: false } inside || inside.Board != board)
        {
            return false;
        }

        PutBack();
        return true;
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
        var first = history.DataOffset / SimDiskMedia.SectorBytes;
        if (board.Disk.Unsynced.Any(s => s >= first))
        {
            throw new Checker.ConsistencyViolationException($"Rule O5a: the old image in {board.Name} was written to; nothing of it is durable yet.");
        }

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

    private void PutIn(SimNode board, Image image, bool isForSession, SimRandom random)
    {
        var marks = MarksOf(board);
        var more = (int)(marks.StartCounter - image.StartCounter) + 1;
        var isByMarks = isForSession && more <= StartsMax && image.Durable < KnownDurable(board) && random.OneIn(2);
        board.PowerCut(random.OneIn(2));
        _inside = (board, image, Take(board, marks), isForSession, isByMarks);
        history.World.Note($"{board.Name} gets an old image: its D is {image.Durable}, {(isForSession ? "the coordinator has seen it since" : "another board's R is above")}");
        Restore(board, image);
        board.Start();
        if (isByMarks)
        {
            StartMore(board, image, more);
        }
    }

    /// <summary>Starts an image again and again, until its start counter tells nothing any more: then its D has to.</summary>
    private void StartMore(SimNode board, Image image, int more) => history.World.ScheduleIn(StartEveryMicros, () =>
    {
        if (more > 0 && _inside is { } inside && inside.Board == board && inside.Image == image && board.IsRunning && !history.IsEnding)
        {
            board.PowerCut();
            board.Start();
            StartMore(board, image, more - 1);
        }
    });

    /// <summary>Gets what the only coordinator knows to be durable on a board at least.</summary>
    private Tag KnownDurable(SimNode board)
    {
        var living = history.HostsAndAuthority.Where(h => h.IsRunning).ToList();
        return living is [{ IsTold: false, Coordinator.Phase: CoordinatorPhase.Serving } host]
            && host.Coordinator.Describe().Members.FirstOrDefault(m => m.Board == board.Name)?.State is { } state
            ? state.Durable
            : Tag.None;
    }

    private static (Tag Durable, ulong StartCounter) MarksOf(SimNode board) =>
        (BoardOf(board)!.Table!.Durable, BoardOf(board)!.Describe().StartCounter);

    /// <summary>Tells whether the only coordinator has attached the board's present start.</summary>
    private bool IsKnown(SimNode board)
    {
        var living = history.HostsAndAuthority.Where(h => h.IsRunning).ToList();
        return living is [{ IsTold: false, Coordinator.Phase: CoordinatorPhase.Serving } host]
            && host.Coordinator.Describe().Members.Any(m => m.Board == board.Name && m.Sync == "InSync" && m.State?.BootId == BoardOf(board)!.BootId);
    }

    private static Image Take(SimNode board, (Tag Durable, ulong StartCounter) marks) => new(marks.Durable, marks.StartCounter, board.Nvm.Bytes.ToArray(), board.Disk.TakeImage());

    private static void Restore(SimNode board, Image image)
    {
        image.Chip.CopyTo(board.Nvm.Bytes);
        board.Disk.RestoreImage(image.Disk);
    }

    private static BoardNode? BoardOf(SimNode node) => (BoardNode?)node.Instance;

    private sealed record Image(Tag Durable, ulong StartCounter, byte[] Chip, IReadOnlyDictionary<long, byte[]> Disk);
}
