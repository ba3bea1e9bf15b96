namespace MirrorController.Tests.Harness.Checker;

/// <summary>One flush of an application: it covers what had been acknowledged before it was issued (D3).</summary>
public sealed record CheckedFlush(CheckedSession Session, long Issued);
