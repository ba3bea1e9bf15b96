namespace MirrorController.Runtime;

/// <summary>Decides whether looking for work before sleeping pays.</summary>
/// <remarks>
/// It does while requests follow each other closely and a core is free. It does not while spins find nothing, nor where
/// a yield comes back late: then another process wanted the core, and spinning steals from it, perhaps from our own peer.
/// </remarks>
internal sealed class SpinPolicy(int spinMicros)
{
    private const int MissesMax = 8;
    private const long MissPauseMicros = 20_000;
    private const long LateYieldMicros = 200;
    private const long LatePauseMicros = 100_000;

    private int _misses;
    private long _pausedUntilMicros;

    public int SpinMicros { get; } = spinMicros;

    public bool MaySpin(long nowMicros) => SpinMicros > 0 && nowMicros >= _pausedUntilMicros;

    public void Found() => _misses = 0;

    public void Missed(long nowMicros)
    {
        if (++_misses >= MissesMax)
        {
            _misses = 0;
            _pausedUntilMicros = nowMicros + MissPauseMicros;
        }
    }

    /// <summary>Judges a yield; false ends the spin.</summary>
    public bool Yielded(long beforeMicros, long afterMicros)
    {
        if (afterMicros - beforeMicros < LateYieldMicros)
        {
            return true;
        }

        _pausedUntilMicros = afterMicros + LatePauseMicros;
        return false;
    }
}
