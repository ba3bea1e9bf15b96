using MirrorController.Protocol;
using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <summary>One member of a volume on this board: its storage manager and tag table manager (62 and 72 of the patent's figure 3).</summary>
/// <remarks>
/// The invariants that this node keeps, by the names of docs/protocol.md:
/// <list type="number">
/// <item>W3: writes of another session than the stored one are refused.</item>
/// <item>W4: an entry is in NVM before a byte of its data goes to the disk; overlapping data reaches the disk in tag order, reads included.</item>
/// <item>W5: a FUA write is replied to after a synchronous write, or a sync that started when the disk had the data.</item>
/// <item>D1: D is the L of a FLUSH, stored after a good sync that started when the FLUSH was there; a failed sync makes the board count as restarted.</item>
/// <item>D5: R moves to a watermark at or below D, and never back.</item>
/// <item>B3: an older write never lands on blocks of a newer entry; only a sure entry is answered without writing.</item>
/// <item>B4: no read, no copy and no move of D before the coordinator has said, naming this boot, that the replay is complete.</item>
/// </list>
/// </remarks>
internal sealed partial class BoardVolume
{
    private readonly BoardNode _board;
    private readonly RangeLock _order = new();
    private readonly SyncQueue _sync;
    private readonly int _blockBytes;
    private readonly long _blocks;
    private readonly List<BlockRange> _marksFound = [];
    private BoardConnection? _attached;
    private bool _replayDone;
    private uint _attempt;
    private int _epoch;

    /// <summary>Gets the volume's blocks.</summary>
    public long Blocks => _blocks;

    public BoardVolume(BoardNode board, NvmVolume nvm, MemberDisk disk)
    {
        _board = board;
        Store = board.Store;
        Nvm = nvm;
        Disk = disk;
        _blockBytes = nvm.Record.BlockBytes;
        _blocks = nvm.Record.SizeBytes / _blockBytes;
        foreach (var mark in nvm.Marks)
        {
            _marksFound.Add(mark.Range);
        }

        _sync = new SyncQueue(disk.Device, SyncEnded);
    }

    public NvmVolume Nvm { get; }

    public MemberDisk Disk { get; }

    public VolumeRecord Record => Nvm.Record;

    /// <summary>Gets whether nothing of it is on its way to the disk or the chip.</summary>
    public bool IsIdle => _order.Count == 0 && _writesInProgress == 0 && _copiesInProgress == 0 && !_sync.IsRunning;

    /// <summary>Gets the chip's store as this life has it: one that starts again has another.</summary>
    private NvmStore Store { get; }

    /// <summary>Adds what the volume knows to the board's account.</summary>
    public BoardState Describe(BoardState state) => state with
    {
        Volume = VolumeIds.FromGuid(Record.VolumeId),
        VolumeName = Record.Name,
        Member = (ushort)Record.Member,
        BlockBytes = _blockBytes,
        SizeBytes = Record.SizeBytes,
        Session = Record.Session,
        CoordinatorSession = Record.LastCoordinator,
        Durable = Nvm.Durable,
        Retired = Nvm.Retired,
        CapacityEntries = Nvm.CapacityEntries,
        Entries = Nvm.Table.Count,
        Marks = Nvm.Marks.Count,
        ReplayDone = _replayDone,
        View = Record.View,
        DiskBytes = Disk.Device.SizeBytes,
        DataOffsetBytes = Disk.DataOffsetBytes,
    };

    /// <summary>Everything above D is unsure from now on, and the replay has to come again (rules B2, D1).</summary>
    public void ForgetBoot()
    {
        _epoch++;
        _replayDone = false;
        _attached = null;
        _lastToken = 0;
        System.Array.Clear(_tagOfToken);
        Nvm.Table.MakeUnsureAbove(Nvm.Durable);
        for (var i = 0; i < Nvm.Table.Count; i++)
        {
            // Tokens count from 1 again: an old one would name another entry (D4).
            Nvm.Table[i].Token = 0;
        }
    }

    public void ConnectionClosed(BoardConnection connection)
    {
        if (_attached == connection)
        {
            _attached = null;
        }
    }

    private long OffsetOf(long block) => Disk.DataOffsetBytes + (block * _blockBytes);

    /// <summary>Judges whose command this is: session, boot and connection. A refusal has been answered.</summary>
    private bool IsCurrent(BoardConnection from, in FrameHeader header)
    {
        if (header.Session < Record.Session.Number)
        {
            // W3, O2: an older session is fenced.
            var fenced = new FrameHeader { Watermark = Record.Session.Number, Tag = header.Tag };
            from.Reply(header, WireStatus.Fenced, ref fenced);
            return false;
        }

        if (header.Session > Record.Session.Number)
        {
            from.ReplyFault(header, WireStatus.Invalid, $"Session {header.Session} has not been opened on this board; {Record.Session.Number} is.");
            return false;
        }

        if (header.BootId != _board.BootId)
        {
            from.ReplyFault(header, WireStatus.WrongBoot, "The frame names another boot of this board.");
            return false;
        }

        if (header.VolumeKey != VolumeIds.FromGuid(Record.VolumeId).Key)
        {
            from.ReplyFault(header, WireStatus.NoSuchVolume, $"The frame names another volume than {Record.Name}.");
            return false;
        }

        return true;
    }

    /// <summary>Like <see cref="IsCurrent"/>, and the connection is the attached one.</summary>
    private bool IsAttached(BoardConnection from, in FrameHeader header)
    {
        if (!IsCurrent(from, header))
        {
            return false;
        }

        if (from != _attached)
        {
            from.ReplyFault(header, WireStatus.NotNow, "This connection is not attached to the volume.");
            return false;
        }

        return true;
    }

    private bool IsRangeValid(in FrameHeader header, int bytesMax) =>
        header.Count > 0 && header.Count <= bytesMax / _blockBytes && header.Address >= 0 && header.Address <= _blocks - header.Count;

    private BlockRange RangeOf(in FrameHeader header) => new(header.Address, header.Count);

    private void SyncEnded(IoStatus status)
    {
        _board.NoteSync(status.IsOk);
        if (!status.IsOk)
        {
            _board.Guard(_board.CountAsRestartedAsync($"The disk could not be made durable: {status.Fault}"));
        }
    }

    private void NvmFailed(IoStatus status)
    {
        Invariant.Check(!status.IsOk, "only a failed chip fails the board");
        _board.FailNvm(status.Fault!);
    }
}
