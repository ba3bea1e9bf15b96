namespace MirrorController.Tests.Simulation.Coverage;

/// <summary>A statement of the product's code.</summary>
/// <param name="Path">Its file, as the compiler knew it.</param>
/// <param name="Line">Its first line, from 1 on.</param>
/// <param name="Column">Its first column, from 1 on.</param>
public sealed record CoveredStatement(string Path, int Line, int Column);
