using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Recovery;
using MirrorController.Protocol.Tags;

namespace MirrorController.Tests.Unit.Recovery;

/// <summary>A board as the rules see it: a disk with a cache that a power cut loses sector by sector, and a tag table that survives.</summary>
/// <remarks>A sector's content is the tag of the write that it came from; a block has two sectors, so that a torn block shows.</remarks>
internal sealed class SimulatedBoard(int member, int blocks)
{
    public const int SectorsPerBlock = 2;

    /// <summary>Per sector, every version since the last flush: the first is durable, the last is what a read returns.</summary>
    private readonly List<Tag>[] _sectors = [.. Enumerable.Range(0, blocks * SectorsPerBlock).Select(_ => new List<Tag> { Tag.None })];

    private readonly SortedDictionary<Tag, Entry> _entries = [];

    public int Member => member;

    public Tag Durable { get; private set; }

    public Tag Retired { get; private set; }

    public RangeSet Marks { get; } = new();

    public RangeSet Unreadable { get; } = new();

    /// <summary>The write whose entry is stored and whose data the disk does not have yet.</summary>
    public Tag? Pending { get; private set; }

    public bool HasSure(Tag tag) => _entries.TryGetValue(tag, out var entry) && entry.Sure;

    public Tag Read(int sector) => _sectors[sector][^1];

    /// <summary>The version that this board's table and marks vouch for; none, if they do not.</summary>
    public Tag Certain(int sector)
    {
        var block = new BlockRange(sector / SectorsPerBlock, 1);
        var newest = _entries.Where(e => e.Value.Range.Contains(block)).Select(e => (Entry?)e.Value).LastOrDefault();
        return Marks.Intersects(block) || Unreadable.Intersects(block) || newest is { Sure: false } ? Tag.None : Read(sector);
    }

    public bool IsDurable(int sector) => _sectors[sector].Count == 1;

    /// <summary>W4: the entry is stored before a byte of the data goes to the disk.</summary>
    public void StoreEntry(Tag tag, BlockRange range, bool fua)
    {
        _entries[tag] = new Entry(range, Sure: false, fua);
        Pending = tag;
    }

    /// <summary>The data goes to the disk, but for what a newer entry covers (B3); from then on the entry is sure.</summary>
    public void ApplyPending()
    {
        if (Pending is not { } tag)
        {
            return;
        }

        Pending = null;
        var entry = _entries[tag];
        for (var block = (int)entry.Range.Start; block < entry.Range.End; block++)
        {
            if (_entries.Any(e => e.Key > tag && e.Value.Range.Contains(new BlockRange(block, 1))))
            {
                continue;
            }

            WriteBlock(block, _ => tag, entry.Fua);
        }

        _entries[tag] = entry with { Sure = true };
    }

    /// <summary>D1: the disk is made durable, then D is stored.</summary>
    public void Flush(Tag low)
    {
        Sync();
        Durable = Tag.Max(Durable, low);
        foreach (var tag in _entries.Keys.Where(t => t <= low).ToList())
        {
            _entries[tag] = _entries[tag] with { Sure = true };
        }
    }

    public void Sync()
    {
        foreach (var versions in _sectors)
        {
            versions.RemoveRange(0, versions.Count - 1);
        }
    }

    /// <summary>D5: R moves to the watermark, and what is at or below it goes.</summary>
    public void Retire(Tag watermark)
    {
        Retired = Tag.Max(Retired, watermark);
        foreach (var tag in _entries.Keys.Where(t => t <= Retired).ToList())
        {
            _entries.Remove(tag);
        }
    }

    /// <summary>Each sector keeps some version since the last flush; what is above D is unsure.</summary>
    public void LosePower(Func<int, int> choose)
    {
        Pending = null;
        foreach (var versions in _sectors)
        {
            var kept = versions[choose(versions.Count)];
            versions.Clear();
            versions.Add(kept);
        }

        foreach (var tag in _entries.Keys.Where(t => t > Durable).ToList())
        {
            _entries[tag] = _entries[tag] with { Sure = false };
        }
    }

    /// <summary>Writes one block of a copy: R4's mark is there already. Stops behind the first sector, if the power goes then.</summary>
    public void CopyBlock(int block, SimulatedBoard source, bool torn)
    {
        if (torn)
        {
            _sectors[block * SectorsPerBlock].Add(source.Read(block * SectorsPerBlock));
            return;
        }

        WriteBlock(block, source.Read, fua: false);
    }

    public MemberTable Table() => new()
    {
        Member = member,
        Retired = Retired,
        Entries = [.. _entries.Select(e => new RecoveryEntry(e.Key, e.Value.Range, e.Value.Sure))],
        Marks = List(Marks),
        Unreadable = List(Unreadable),
    };

    /// <summary>R7's second step.</summary>
    public void Finish(Tag start)
    {
        Retire(start);
        Marks.Clear();
    }

    private void WriteBlock(int block, Func<int, Tag> content, bool fua)
    {
        for (var sector = block * SectorsPerBlock; sector < (block + 1) * SectorsPerBlock; sector++)
        {
            if (fua)
            {
                _sectors[sector].Clear();
            }

            _sectors[sector].Add(content(sector));
        }

        Unreadable.Remove(new BlockRange(block, 1));
    }

    private static List<BlockRange> List(RangeSet set)
    {
        var list = new List<BlockRange>();
        foreach (var range in set)
        {
            list.Add(range);
        }

        return list;
    }

    private readonly record struct Entry(BlockRange Range, bool Sure, bool Fua);
}
