using System.Globalization;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>What of a seed's history happens at all: shrinking leaves out whatever a failure does not need.</summary>
/// <remarks>What is left happens as it would have: every fault and every request draws from random numbers of its own.</remarks>
public sealed record HistoryLimits
{
    /// <summary>Everything happens.</summary>
    public static readonly HistoryLimits None = new();

    /// <summary>Gets the faults that happen, by their number from 1 on; null for all.</summary>
    public IReadOnlySet<int>? Faults { get; init; }

    /// <summary>Gets the requests that happen; null for all.</summary>
    public IReadOnlySet<RequestName>? Requests { get; init; }

    /// <summary>Gets after how many milliseconds applications and faults end; null for what the plan says.</summary>
    public long? DurationMs { get; init; }

    /// <summary>Reads a list of faults such as <c>3,7</c>, or <c>none</c>; null where it is none.</summary>
    public static IReadOnlySet<int>? ParseFaults(string text)
    {
        var faults = new SortedSet<int>();
        foreach (var word in Words(text))
        {
            if (!int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var fault))
            {
                return null;
            }

            faults.Add(fault);
        }

        return faults;
    }

    /// <summary>Reads a list of requests such as <c>1.2.17,1.1.4</c>, or <c>none</c>; null where it is none.</summary>
    public static IReadOnlySet<RequestName>? ParseRequests(string text)
    {
        var requests = new SortedSet<RequestName>();
        foreach (var word in Words(text))
        {
            if (RequestName.Parse(word) is not { } request)
            {
                return null;
            }

            requests.Add(request);
        }

        return requests;
    }

    /// <summary>Writes a list as it is read.</summary>
    public static string Format<T>(IEnumerable<T> items)
    {
        var text = string.Join(',', items);
        return text.Length == 0 ? "none" : text;
    }

    internal bool Has(int fault) => Faults?.Contains(fault) ?? true;

    internal bool Has(RequestName request) => Requests?.Contains(request) ?? true;

    private static string[] Words(string text) =>
        text == "none" ? [] : text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
