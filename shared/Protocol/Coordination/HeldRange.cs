using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Seams;

namespace MirrorController.Protocol.Coordination;

/// <summary>A range of a <see cref="RangeLock"/> that a procedure holds.</summary>
public sealed class HeldRange : RangeLockRequest
{
    private readonly LoopCompletion<bool> _granted;

    private HeldRange(ILoop loop, BlockRange range)
    {
        _granted = new LoopCompletion<bool>(loop);
        Range = range;
    }

    /// <summary>Waits for a range; who gets it gives it back with <see cref="RangeLock.Release"/>.</summary>
    public static async Task<HeldRange> AcquireAsync(ILoop loop, RangeLock ranges, BlockRange range, bool exclusive)
    {
        var held = new HeldRange(loop, range);
        if (!ranges.Acquire(held, exclusive))
        {
            await held._granted.Task;
        }

        return held;
    }

    /// <inheritdoc/>
    protected internal override void Granted() => _granted.Complete(true);
}
