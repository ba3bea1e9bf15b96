using System.Text;
using System.Text.RegularExpressions;

namespace MirrorController.HostAgent.Rig;

/// <summary>The end of a log, for sentences about a process that has ended.</summary>
internal static partial class LogTail
{
    private const int ReadBytesMax = 4096;

    /// <summary>Gets the last line that is not empty, without time, level and full stop; null when there is none.</summary>
    public static string? LastLine(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.Seek(-Math.Min(file.Length, ReadBytesMax), SeekOrigin.End);
            using var reader = new StreamReader(file, Encoding.UTF8);
            var lines = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return lines.Length == 0 ? null : TimeAndLevel().Replace(lines[^1], "").TrimEnd('.');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"^\d{4}-\S+Z\s+(debug|info|warning|error)\s+", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex TimeAndLevel();
}
