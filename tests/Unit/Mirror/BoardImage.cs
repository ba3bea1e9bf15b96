using MirrorController.Tests.Harness;

namespace MirrorController.Tests.Unit.Mirror;

/// <summary>What somebody copied of a board's chip and disk, and may put back later.</summary>
internal sealed class BoardImage
{
    private const int DiskBytes = 2 << 20;
    private readonly byte[] _chip;
    private readonly byte[] _disk;

    private BoardImage(SimNode board)
    {
        _chip = board.Nvm.Bytes.ToArray();
        _disk = board.Disk.Peek(0, DiskBytes);
    }

    public static BoardImage Of(SimNode board) => new(board);

    public void RestoreTo(SimNode board)
    {
        RestoreChipTo(board);
        RestoreDiskTo(board);
    }

    public void RestoreChipTo(SimNode board) => _chip.CopyTo(board.Nvm.Bytes);

    public void RestoreDiskTo(SimNode board) => board.Disk.Poke(0, _disk);

    public bool IsSameAs(BoardImage other) => _chip.AsSpan().SequenceEqual(other._chip) && _disk.AsSpan().SequenceEqual(other._disk);
}
