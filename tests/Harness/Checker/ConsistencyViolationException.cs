namespace MirrorController.Tests.Harness.Checker;

/// <summary>A history broke a rule of what must always hold.</summary>
public sealed class ConsistencyViolationException(string message) : Exception(message);
