using System.Globalization;

namespace MirrorController.Tests.Harness.CrashPoints;

/// <summary>One cut: who loses the power, at which of its steps, how.</summary>
/// <param name="Victim">A node's name, <see cref="AllBoards"/> or <see cref="Everything"/>.</param>
/// <param name="Step">The number of the victim's step since the part of the story began that is cut; 1 is the first.</param>
/// <param name="Mode">How.</param>
public readonly record struct CrashPoint(string Victim, int Step, CrashMode Mode)
{
    /// <summary>All boards together.</summary>
    public const string AllBoards = "boards";

    /// <summary>All boards and hosts together.</summary>
    public const string Everything = "all";

    /// <summary>Reads one as it is written.</summary>
    public static bool TryParse(string text, out CrashPoint point)
    {
        point = default;
        var parts = text.Split(':');
        if (parts.Length < 2 || parts[0].Length == 0 || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var step) || step < 1)
        {
            return false;
        }

        var mode = new CrashMode(SimCutMedia.Lost);
        foreach (var word in parts[2..])
        {
            switch (word)
            {
                case "keep":
                    mode = mode with { Media = SimCutMedia.Kept };
                    break;
                case "mix":
                    mode = mode with { Media = SimCutMedia.Mixed };
                    break;
                case "silent":
                    mode = mode with { Silent = true };
                    break;
                default:
                    return false;
            }
        }

        point = new CrashPoint(parts[0], step, mode);
        return true;
    }

    /// <summary>Reads points one after another, with slashes between; null if one is wrong.</summary>
    public static IReadOnlyList<CrashPoint>? ParsePath(string text)
    {
        var path = new List<CrashPoint>();
        foreach (var part in text.Split('/'))
        {
            if (!TryParse(part, out var point))
            {
                return null;
            }

            path.Add(point);
        }

        return path;
    }

    /// <summary>Writes points as <see cref="ParsePath"/> reads them.</summary>
    public static string PathText(IEnumerable<CrashPoint> path) => string.Join('/', path);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Victim}:{Step}{Mode}");
}
