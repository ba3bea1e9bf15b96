namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>A random history failed; the message begins with the seed and ends with the event log.</summary>
public sealed class HistoryFailedException : Exception
{
    internal HistoryFailedException(RandomHistory history, Exception cause)
        : base(Describe(history, cause), cause)
    {
        History = history;
        Seed = history.Plan.Seed;
        Cause = history.Checker.Violation?.Message ?? FirstLine(cause);
    }

    public ulong Seed { get; }

    /// <summary>Gets the history as it was, for a look into its nodes.</summary>
    public RandomHistory History { get; }

    /// <summary>Gets what went wrong, without the log.</summary>
    public string Cause { get; }

    private static string Describe(RandomHistory history, Exception cause) =>
        $"{history.Plan}{Environment.NewLine}{history.Checker.Violation?.Message ?? FirstLine(cause)}{Environment.NewLine}"
        + $"{cause.StackTrace}{Environment.NewLine}{string.Join(Environment.NewLine, history.World.Log)}";

    private static string FirstLine(Exception cause) => (cause.InnerException?.ToString() ?? cause.Message).Split("Seed ")[0];
}
