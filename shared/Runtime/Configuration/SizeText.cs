using System.Globalization;

namespace MirrorController.Runtime.Configuration;

/// <summary>Sizes as people write them: bytes, or with K, M, G, T or KiB, MiB, GiB, TiB, all powers of 1024.</summary>
public static class SizeText
{
    /// <summary>What a size may be, for messages.</summary>
    public const string Allowed = "a size is a whole number of bytes, or one with K, M, G, T or KiB, MiB, GiB, TiB (powers of 1024), as 1GiB";

    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>Reads a size in bytes, at least 1.</summary>
    public static bool TryParse(string? text, out long bytes)
    {
        bytes = 0;
        text = text?.Trim() ?? "";
        var digits = 0;
        while (digits < text.Length && char.IsAsciiDigit(text[digits]))
        {
            digits++;
        }

        if (!long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0)
        {
            return false;
        }

        var shift = text[digits..].Trim().ToUpperInvariant() switch
        {
            "" or "B" => 0,
            "K" or "KIB" => 10,
            "M" or "MIB" => 20,
            "G" or "GIB" => 30,
            "T" or "TIB" => 40,
            _ => -1,
        };
        if (shift < 0 || number > long.MaxValue >> shift)
        {
            return false;
        }

        bytes = number << shift;
        return true;
    }

    /// <summary>Writes a size in the largest unit that suits it, with one decimal where it is not whole.</summary>
    public static string Format(long bytes)
    {
        double value = bytes;
        var unit = 0;
        while (value >= 1024 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return value == Math.Floor(value)
            ? string.Create(CultureInfo.InvariantCulture, $"{value:F0} {Units[unit]}")
            : string.Create(CultureInfo.InvariantCulture, $"{value:F1} {Units[unit]}");
    }
}
