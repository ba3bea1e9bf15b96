namespace MirrorController.Protocol.Coordination;

/// <summary>What a reconciliation did.</summary>
/// <param name="PlannedBlocks">The blocks compared.</param>
/// <param name="CopiedBytes">The bytes copied, over all targets.</param>
/// <param name="Milliseconds">From the first question to the last mark.</param>
/// <param name="Attempts">How many plans it took.</param>
public sealed record RecoveryResult(long PlannedBlocks, long CopiedBytes, long Milliseconds, uint Attempts);
