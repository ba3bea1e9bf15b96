namespace MirrorController.Tests.Harness.Checker;

/// <summary>One read of an application: what, and since when.</summary>
public sealed record CheckedRead(CheckedSession Session, long OffsetBytes, int LengthBytes, long Issued);
