using System.Globalization;

namespace MirrorController.Tests.Harness.CrashPoints;

/// <summary>What the exploration of a scenario came to.</summary>
public sealed class CrashReport(CrashScenario scenario)
{
    private readonly List<CrashPointFailedException> _failures = [];
    private readonly Lock _lock = new();
    private int _second;
    private int _secondStates;

    public CrashScenario Scenario => scenario;

    /// <summary>Gets the steps of the story, of all nodes together.</summary>
    public int Steps { get; internal set; }

    /// <summary>Gets the first cuts made.</summary>
    public int FirstPoints { get; internal set; }

    /// <summary>Gets the distinct states that they left.</summary>
    public int States { get; internal set; }

    /// <summary>Gets the second cuts made.</summary>
    public int SecondPoints => _second;

    /// <summary>Gets the distinct states that those left: so many recoveries were judged.</summary>
    public int SecondStates => _secondStates;

    public int Points => FirstPoints + SecondPoints;

    public IReadOnlyList<CrashPointFailedException> Failures => _failures;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{scenario.Name}: {Steps} steps, {FirstPoints} first cuts, {States} distinct states, {SecondPoints} second cuts, {SecondStates} distinct states, {Failures.Count} failed");

    internal void Add(CrashPointFailedException failure)
    {
        lock (_lock)
        {
            _failures.Add(failure);
        }
    }

    internal void CountSecond(bool isNew)
    {
        Interlocked.Increment(ref _second);
        if (isNew)
        {
            Interlocked.Increment(ref _secondStates);
        }
    }
}
