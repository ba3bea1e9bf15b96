using MirrorController.Tests.Harness.Checker;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>A random history failed; the message begins with the seed and ends with the event log.</summary>
public sealed class HistoryFailedException : Exception
{
    internal HistoryFailedException(RandomHistory history, Exception cause)
        : base(Describe(history, cause), cause)
    {
        History = history;
        Seed = history.Plan.Seed;
        Violation = history.Checker.Violation?.Message ?? FirstLine(cause);
        Cause = (history.Checker.Violation?.Message ?? FirstLine(cause)).Split(Environment.NewLine)[0];
    }

    public ulong Seed { get; }

    /// <summary>Tells that a seed made two histories; null when both are the same.</summary>
    public static HistoryFailedException? IfDifferent(RandomHistory first, RandomHistory second)
    {
        var line = first.World.Log.Zip(second.World.Log).TakeWhile(p => p.First == p.Second).Count();
        return line == first.World.Log.Count && line == second.World.Log.Count
            ? null
            : new HistoryFailedException(first, new ConsistencyViolationException($"The same seed made two histories: they differ from line {line + 1} of the log on."));
    }

    /// <summary>Gets the whole of what was violated, with the history of the sector if there is one.</summary>
    public string Violation { get; }

    /// <summary>Gets the history as it was, for a look into its nodes.</summary>
    public RandomHistory History { get; }

    /// <summary>Gets what went wrong, without the log.</summary>
    public string Cause { get; }

    private static string Describe(RandomHistory history, Exception cause) =>
        $"{history.Plan}{Environment.NewLine}{history.Checker.Violation?.Message ?? FirstLine(cause)}{Environment.NewLine}"
        + $"{cause.StackTrace}{Environment.NewLine}{string.Join(Environment.NewLine, history.World.Log)}";

    /// <summary>Says what went wrong in one line, and for a fault of the code where.</summary>
    private static string FirstLine(Exception cause)
    {
        var node = cause is SimNodeException n ? $"Node {n.NodeName}: " : string.Empty;
        while (cause.InnerException is { } inner)
        {
            cause = inner;
        }

        var where = cause is ConsistencyViolationException or TimeoutException
            ? string.Empty
            : $" ({cause.GetType().Name}{cause.StackTrace?.Split(Environment.NewLine)[0]})";
        return node + cause.Message.Split("Seed ")[0].Split(Environment.NewLine)[0].TrimEnd() + where;
    }
}
