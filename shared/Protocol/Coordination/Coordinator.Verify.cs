using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Coordination;

/// <summary>What a comparison of all members found.</summary>
/// <param name="Completed">False if it could not be done to its end; <paramref name="Trouble"/> says why.</param>
/// <param name="Trouble">One sentence, or null.</param>
/// <param name="ComparedBytes">How much was compared; what is a hole on all boards is not read.</param>
/// <param name="Differences">The ranges in which some members differ.</param>
public sealed record VerifyResult(bool Completed, string? Trouble, long ComparedBytes, IReadOnlyList<BlockRange> Differences);

/// <summary>Compares all members, 1 MiB at a time under the range lock, so that it may run beside the application.</summary>
public sealed partial class Coordinator
{
    private const int VerifyStepBytes = 1024 * 1024;
    private const int DifferencesMax = 1000;

    /// <summary>Compares the hashes of all members over the whole volume.</summary>
    /// <param name="progress">Told the bytes done, now and then; may be null.</param>
    public async Task<VerifyResult> VerifyAsync(Action<long>? progress = null)
    {
        var differences = new List<BlockRange>();
        long compared = 0;
        long block = 0;
        var blocks = SizeBytes / BlockBytes;
        while (block < blocks)
        {
            progress?.Invoke(block * BlockBytes);
            if (Phase != CoordinatorPhase.Serving || MissingMember() is { } missing)
            {
                var who = MissingMember()?.Board.Name;
                return new VerifyResult(
                    false, who is null ? $"Volume {Name} is not in sync yet." : $"Board {who} is away; the comparison needs all boards.", compared, differences);
            }

            var range = new BlockRange(block, (int)Math.Min(VerifyStepBytes / BlockBytes, blocks - block));
            var held = await HeldRange.AcquireAsync(_loop, _lock, range, exclusive: true);

            VerifyStep step;
            try
            {
                step = await VerifyRangeAsync(range, differences);
            }
            finally
            {
                _lock.Release(held);
            }

            if (step.NextBlock == block)
            {
                // A board left in the middle: look again whether all are there, and let the application work meanwhile.
                await _signal.ChangedOrAfterAsync(200);
                continue;
            }

            block = Math.Min(step.NextBlock, blocks);
            compared += step.ComparedBytes;
            if (differences.Count >= DifferencesMax)
            {
                break;
            }
        }

        progress?.Invoke(block * BlockBytes);
        return new VerifyResult(true, null, compared, differences);
    }

    /// <summary>Compares a range whose lock is held; a step that goes nowhere means that some board did not answer.</summary>
    private async Task<VerifyStep> VerifyRangeAsync(BlockRange range, List<BlockRange> differences)
    {
        var answers = await HashAllAsync(range, perBlock: false);
        if (answers is null)
        {
            return new VerifyStep(range.Start, 0);
        }

        if (Array.Exists(answers, a => !a.IsOk))
        {
            return await VerifySinglyAsync(range, differences);
        }

        var hole = SmallestHole(answers);
        if (hole >= range.Count)
        {
            return new VerifyStep(range.Start + hole, 0);
        }

        if (!AreEqual(answers, 0))
        {
            var single = await HashAllAsync(range, perBlock: true);
            if (single is null || Array.Exists(single, a => !a.IsOk))
            {
                return new VerifyStep(range.Start, 0);
            }

            AddDifferences(range, single, differences);
        }

        return new VerifyStep(range.End, (long)range.Count * BlockBytes);
    }

    /// <summary>Some board cannot read all of a range: block by block; one that is not readable everywhere counts as different.</summary>
    private async Task<VerifyStep> VerifySinglyAsync(BlockRange range, List<BlockRange> differences)
    {
        long compared = 0;
        for (var block = range.Start; block < range.End; block++)
        {
            var single = new BlockRange(block, 1);
            var answers = await HashAllAsync(single, perBlock: false);
            if (answers is null)
            {
                return new VerifyStep(block, compared);
            }

            foreach (var member in _members)
            {
                if (!answers[member.Index].IsOk)
                {
                    _log.Warning($"Board {member.Board.Name} cannot read {single}: {answers[member.Index].Fault}");
                }
            }

            if (Array.Exists(answers, a => !a.IsOk) || !AreEqual(answers, 0))
            {
                AddDifference(block, differences);
            }

            compared += BlockBytes;
        }

        return new VerifyStep(range.End, compared);
    }

    /// <summary>Asks all members; null if one gave no answer, or another one than a hash or that its disk cannot read.</summary>
    private async Task<LinkAnswer[]?> HashAllAsync(BlockRange range, bool perBlock)
    {
        var asked = new Task<LinkAnswer>[_members.Length];
        foreach (var member in _members)
        {
            asked[member.Index] = AskHashAsync(member, range, perBlock);
        }

        var answers = await Task.WhenAll(asked);
        foreach (var answer in answers)
        {
            var isFault = answer.Arrived && answer.Header.Status == WireStatus.DiskFault;
            if (!isFault && (!answer.IsOk || answer.Body.Length != (perBlock ? 16 * range.Count : 16)))
            {
                return null;
            }
        }

        return answers;
    }

    private static long SmallestHole(LinkAnswer[] answers)
    {
        var least = long.MaxValue;
        foreach (var answer in answers)
        {
            least = Math.Min(least, (long)answer.Header.Token);
        }

        return least;
    }

    private static bool AreEqual(LinkAnswer[] answers, int index)
    {
        var first = answers[0].Body.AsSpan(index * 16, 16);
        foreach (var answer in answers)
        {
            if (!answer.Body.AsSpan(index * 16, 16).SequenceEqual(first))
            {
                return false;
            }
        }

        return true;
    }

    private static void AddDifferences(BlockRange range, LinkAnswer[] answers, List<BlockRange> differences)
    {
        for (var i = 0; i < range.Count; i++)
        {
            if (AreEqual(answers, i))
            {
                continue;
            }

            AddDifference(range.Start + i, differences);
        }
    }

    private static void AddDifference(long block, List<BlockRange> differences)
    {
        if (differences.Count > 0 && differences[^1].End == block)
        {
            differences[^1] = differences[^1] with { Count = differences[^1].Count + 1 };
        }
        else
        {
            differences.Add(new BlockRange(block, 1));
        }
    }

    /// <summary>How far a step came.</summary>
    private readonly record struct VerifyStep(long NextBlock, long ComparedBytes);
}
