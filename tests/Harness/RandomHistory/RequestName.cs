using System.Globalization;

namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>Which request of a history it is.</summary>
/// <param name="Life">The life of a host, counted over all hosts from 1 on.</param>
/// <param name="Generator">The application, from 1 on.</param>
/// <param name="Number">The application's moments at which it may issue one, from 1 on.</param>
public readonly record struct RequestName(int Life, int Generator, int Number) : IComparable<RequestName>
{
    /// <summary>Reads a name such as <c>1.2.17</c>; null where it is none.</summary>
    public static RequestName? Parse(string text)
    {
        var parts = text.Split('.');
        return parts.Length == 3 && Number_(parts[0]) is { } life && Number_(parts[1]) is { } generator && Number_(parts[2]) is { } number
            ? new RequestName(life, generator, number)
            : null;

        static int? Number_(string part) => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
    }

    public int CompareTo(RequestName other) => (Life, Generator, Number).CompareTo((other.Life, other.Generator, other.Number));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Life}.{Generator}.{Number}");
}
