namespace MirrorController.Protocol.Nvm;

/// <summary>What a chip has been used for since it was opened.</summary>
/// <param name="Kind">The kind of chip.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="UsedBytes">What live entries and repair marks may take at most in the log; bounded by <paramref name="UsableBytes"/>.</param>
/// <param name="UsableBytes">The part of the log that may be live: half of it.</param>
/// <param name="BytesWritten">Bytes written for entries, with the frames of their batches.</param>
/// <param name="BytesOverhead">All other bytes written: D, R, marks, checkpoints, entries copied forward, superblocks, repetitions.</param>
/// <param name="Commits">Batches written for the owner.</param>
public readonly record struct NvmStatistics(
    string Kind,
    int SizeBytes,
    long UsedBytes,
    long UsableBytes,
    long BytesWritten,
    long BytesOverhead,
    long Commits);
