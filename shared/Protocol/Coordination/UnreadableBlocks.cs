using MirrorController.Protocol.Blocks;

namespace MirrorController.Protocol.Coordination;

/// <summary>What members could not read in the course of a reconciliation: an input of the plan (rule R2).</summary>
internal sealed class UnreadableBlocks(int members)
{
    private readonly RangeSet[] _now = Make(members);
    private readonly RangeSet[] _told = Make(members);
    private readonly ulong[] _toldBoot = new ulong[members];

    /// <summary>Gets what a member cannot read, as far as is known.</summary>
    public IReadOnlyList<BlockRange> Of(Member member)
    {
        var list = new List<BlockRange>();
        foreach (var range in _now[member.Index])
        {
            list.Add(range);
        }

        return list;
    }

    /// <summary>Tells whether some block of a range is known to be unreadable on a member.</summary>
    public bool Overlaps(Member member, BlockRange range) => _now[member.Index].Intersects(range);

    /// <summary>A member could not read these blocks while they were hashed.</summary>
    public void Add(Member member, BlockRange range) => _now[member.Index].Add(range);

    /// <summary>The blocks were written anew on a member, or it was seen to read them: it may read them again.</summary>
    public void Rewritten(Member member, BlockRange range) => _now[member.Index].Remove(range);

    /// <summary>
    /// A member could not read these blocks when it was to write them back (rule R5): the plan has to know.
    /// </summary>
    /// <returns>
    /// True if that is news, and so a reason for a new plan. Each block is news once in a boot: a block that stays unreadable
    /// ends no recovery for ever. After a restart, as which a failed sync counts, what was copied onto it is in doubt again.
    /// </returns>
    public bool AddAtWriteBack(Member member, BlockRange range)
    {
        if (_toldBoot[member.Index] != member.BootId)
        {
            _toldBoot[member.Index] = member.BootId;
            _told[member.Index].Clear();
        }

        if (_told[member.Index].Contains(range))
        {
            return false;
        }

        _told[member.Index].Add(range);
        var isKnown = _now[member.Index].Contains(range);
        _now[member.Index].Add(range);
        return !isKnown;
    }

    private static RangeSet[] Make(int count)
    {
        var sets = new RangeSet[count];
        for (var i = 0; i < count; i++)
        {
            sets[i] = new RangeSet();
        }

        return sets;
    }
}
