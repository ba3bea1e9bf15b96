using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;

namespace MirrorController.Protocol.Recovery;

/// <summary>A walk over the volume in runs of blocks within which no entry, mark or unreadable range begins or ends.</summary>
internal sealed class RecoverySweep
{
    // The borders in block order, and what begins or ends at each.
    private readonly long[] _positions;
    private readonly Change[] _changes;
    private readonly Lane[] _lanes = new Lane[MemberSet.CountMax];
    private readonly bool _allClosed;
    private int _next;
    private int _closed;
    private int _marks;
    private int _entries;

    public RecoverySweep(IReadOnlyList<MemberTable> members, Tag retired, uint session, RangeSet? stillClosed)
    {
        var positions = new List<long>();
        var changes = new List<Change>();

        void Add(BlockRange range, int member, ChangeKind kind, RecoveryEntry entry = default)
        {
            if (range.Start < 0 || range.Count <= 0 || range.End < 0)
            {
                throw new ArgumentException($"Member {member} names a range of {range.Count} blocks at {range.Start}.", nameof(members));
            }

            positions.Add(range.Start);
            changes.Add(new Change(kind, member, 1, entry));
            positions.Add(range.End);
            changes.Add(new Change(kind, member, -1, default));
        }

        foreach (var member in members)
        {
            _lanes[member.Member] = new Lane();
            foreach (var entry in member.Entries)
            {
                // R1: what is retired anywhere is durable everywhere; what this session wrote is none of the plan's business.
                if (entry.Tag > retired && entry.Tag.Session < session)
                {
                    Add(entry.Range, member.Member, ChangeKind.Entry, entry);
                }
            }

            foreach (var mark in member.Marks)
            {
                Add(mark, member.Member, ChangeKind.Mark);
            }

            foreach (var range in member.Unreadable)
            {
                Add(range, member.Member, ChangeKind.Unreadable);
            }
        }

        _allClosed = stillClosed is null;
        if (stillClosed is not null)
        {
            foreach (var range in stillClosed)
            {
                Add(range, members[0].Member, ChangeKind.Closed);
            }
        }

        _positions = [.. positions];
        _changes = [.. changes];
        // Not stable, and need not be: all changes at one position are made before the run behind it is looked at.
        System.Array.Sort(_positions, _changes);
    }

    /// <summary>Gets the first block of the run.</summary>
    public long Start { get; private set; }

    /// <summary>Gets the block behind the run.</summary>
    public long End { get; private set; }

    /// <summary>Gets whether an entry or a mark of some member covers the run.</summary>
    public bool IsCovered => _entries > 0 || _marks > 0;

    /// <summary>Gets whether the run may be planned for.</summary>
    public bool IsClosed => _allClosed || _closed > 0;

    /// <summary>Goes to the next run; false behind the last border.</summary>
    public bool MoveNext()
    {
        while (_next < _positions.Length)
        {
            Start = _positions[_next];
            while (_next < _positions.Length && _positions[_next] == Start)
            {
                Apply(_changes[_next++]);
            }

            if (_next < _positions.Length)
            {
                End = _positions[_next];
                return true;
            }
        }

        return false;
    }

    /// <summary>Gets a member's newest tag in the run; the lowest, if no entry of it covers the run.</summary>
    public Tag Version(int member) => Newest(member)?.Tag ?? Tag.None;

    /// <summary>Gets whether a member has a repair mark over the run.</summary>
    public bool IsMarked(int member) => _lanes[member].Marks > 0;

    /// <summary>Gets whether a member can read the run, as far as is known.</summary>
    public bool CanRead(int member) => _lanes[member].Unreadable == 0;

    /// <summary>Gets whether a member certainly holds its version in the run.</summary>
    public bool IsExact(int member) => !IsMarked(member) && CanRead(member) && (Newest(member)?.Sure ?? true);

    private RecoveryEntry? Newest(int member)
    {
        // Entries that ended before this run leave the heap when they come to its top.
        var open = _lanes[member].Open;
        while (open.TryPeek(out var entry, out _))
        {
            if (entry.Range.End > Start)
            {
                return entry;
            }

            open.Dequeue();
        }

        return null;
    }

    private void Apply(Change change)
    {
        var lane = _lanes[change.Member];
        switch (change.Kind)
        {
            case ChangeKind.Entry:
                _entries += change.Delta;
                if (change.Delta > 0)
                {
                    lane.Open.Enqueue(change.Entry, change.Entry);
                }

                break;
            case ChangeKind.Mark:
                _marks += change.Delta;
                lane.Marks += change.Delta;
                break;
            case ChangeKind.Unreadable:
                lane.Unreadable += change.Delta;
                break;
            default:
                _closed += change.Delta;
                break;
        }
    }

    private enum ChangeKind
    {
        Entry,
        Mark,
        Unreadable,
        Closed,
    }

    private readonly record struct Change(ChangeKind Kind, int Member, int Delta, RecoveryEntry Entry);

    private sealed class Lane
    {
        public PriorityQueue<RecoveryEntry, RecoveryEntry> Open { get; } = new(NewestFirst.Instance);

        public int Marks { get; set; }

        public int Unreadable { get; set; }
    }

    /// <summary>The newest tag first; of equal ones, which no honest table holds, the unsure one.</summary>
    private sealed class NewestFirst : IComparer<RecoveryEntry>
    {
        public static readonly NewestFirst Instance = new();

        public int Compare(RecoveryEntry x, RecoveryEntry y)
        {
            var byTag = y.Tag.CompareTo(x.Tag);
            return byTag != 0 ? byTag : x.Sure.CompareTo(y.Sure);
        }
    }
}
