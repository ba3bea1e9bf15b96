using System.Globalization;

namespace MirrorController.Runtime.Configuration;

/// <summary>Times as people write them: a whole number with ms, s or m.</summary>
public static class DurationText
{
    /// <summary>What a time may be, for messages.</summary>
    public const string Allowed = "a time is a whole number with ms, s or m, as 30s";

    private const long MillisecondsMax = int.MaxValue;

    /// <summary>Reads a time in milliseconds, at least 1 and at most about 24 days.</summary>
    public static bool TryParse(string? text, out long milliseconds)
    {
        milliseconds = 0;
        text = text?.Trim() ?? "";
        var digits = 0;
        while (digits < text.Length && char.IsAsciiDigit(text[digits]))
        {
            digits++;
        }

        var factor = text[digits..] switch
        {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            _ => 0,
        };
        if (factor == 0
            || !long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || number is 0 || number > MillisecondsMax / factor)
        {
            return false;
        }

        milliseconds = number * factor;
        return true;
    }

    /// <summary>Writes a time in the largest unit in which it is whole.</summary>
    public static string Format(long milliseconds) => milliseconds switch
    {
        > 0 when milliseconds % 60_000 == 0 => $"{milliseconds / 60_000}m",
        > 0 when milliseconds % 1000 == 0 => $"{milliseconds / 1000}s",
        _ => $"{milliseconds}ms",
    };
}
