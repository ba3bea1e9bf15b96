using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;

namespace MirrorController.Protocol.Recovery;

/// <summary>Joins runs that adjoin and ask for the same, and cuts the result into steps.</summary>
internal sealed class CopyPlanBuilder(int stepBlocksMax)
{
    private readonly List<CopyStep> _steps = [];
    private readonly List<BlockRange> _bad = [];
    private readonly List<BlockRange> _covered = [];
    private long _plannedBlocks;

    /// <summary>Adds blocks that are closed to the application.</summary>
    public void AddCovered(long start, long end) => Join(_covered, start, end);

    /// <summary>Adds blocks that no member can read.</summary>
    public void AddBad(long start, long end) => Join(_bad, start, end);

    /// <summary>Adds blocks to copy.</summary>
    public void AddCopy(long start, long end, int source, MemberSet targets, Tag version)
    {
        _plannedBlocks += end - start;
        if (_steps.Count > 0)
        {
            var last = _steps[^1];
            var room = stepBlocksMax - last.Range.Count;
            // The targets are all but the source, so equal targets have one source.
            if (last.Range.End == start && last.Targets == targets && room > 0)
            {
                var cut = Math.Min(end, start + room);
                _steps[^1] = last with
                {
                    Range = BlockRange.FromTo(last.Range.Start, cut),
                    OldestVersion = Tag.Min(last.OldestVersion, version),
                    NewestVersion = Tag.Max(last.NewestVersion, version),
                };
                start = cut;
            }
        }

        while (start < end)
        {
            var cut = Math.Min(end, start + stepBlocksMax);
            _steps.Add(new CopyStep(BlockRange.FromTo(start, cut), source, targets, version, version));
            start = cut;
        }
    }

    /// <summary>Gets the plan.</summary>
    public CopyPlan Finish(Tag highestRetired) => new()
    {
        HighestRetired = highestRetired,
        Steps = _steps,
        BadRanges = _bad,
        CoveredRanges = _covered,
        PlannedBlocks = _plannedBlocks,
    };

    private static void Join(List<BlockRange> ranges, long start, long end)
    {
        // A range holds fewer than 2^31 blocks; a run beyond that begins a new one.
        if (ranges.Count > 0 && ranges[^1].End == start && end - ranges[^1].Start <= int.MaxValue)
        {
            ranges[^1] = BlockRange.FromTo(ranges[^1].Start, end);
        }
        else
        {
            ranges.Add(BlockRange.FromTo(start, end));
        }
    }
}
