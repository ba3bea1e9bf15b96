using MirrorController.Protocol.Blocks;
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
            if (Phase != CoordinatorPhase.Serving || MissingMember() is { } missing)
            {
                var who = MissingMember()?.Board.Name;
                return new VerifyResult(
                    false, who is null ? $"Volume {Name} is not in sync yet." : $"Board {who} is away; the comparison needs all boards.", compared, differences);
            }

            var range = new BlockRange(block, (int)Math.Min(VerifyStepBytes / BlockBytes, blocks - block));
            var held = await HeldRange.AcquireAsync(_loop, _lock, range, exclusive: true);

            try
            {
                var answers = await HashAllAsync(range, perBlock: false);
                if (answers is null)
                {
                    // A board left in the middle: look again whether all are there.
                    await _signal.ChangedOrAfterAsync(200);
                    continue;
                }

                var hole = SmallestHole(answers);
                if (hole >= range.Count)
                {
                    block += Math.Min(hole, blocks - block);
                    progress?.Invoke(block * BlockBytes);
                    continue;
                }

                compared += (long)range.Count * BlockBytes;
                if (!AreEqual(answers, 0))
                {
                    var single = await HashAllAsync(range, perBlock: true);
                    if (single is null)
                    {
                        continue;
                    }

                    AddDifferences(range, single, differences);
                    if (differences.Count >= DifferencesMax)
                    {
                        return new VerifyResult(true, null, compared, differences);
                    }
                }
            }
            finally
            {
                _lock.Release(held);
            }

            block += range.Count;
            progress?.Invoke(block * BlockBytes);
        }

        return new VerifyResult(true, null, compared, differences);
    }

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
            if (!answer.IsOk || answer.Body.Length != (perBlock ? 16 * range.Count : 16))
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

            var block = range.Start + i;
            if (differences.Count > 0 && differences[^1].End == block)
            {
                differences[^1] = differences[^1] with { Count = differences[^1].Count + 1 };
            }
            else
            {
                differences.Add(new BlockRange(block, 1));
            }
        }
    }
}
