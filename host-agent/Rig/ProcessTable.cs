using System.Globalization;
using System.Text;

namespace MirrorController.HostAgent.Rig;

/// <summary>A process as the system's table shows it. The start time tells it from a later one with the same id.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="State">The system's letter for its state.</param>
/// <param name="Session">The session it is in.</param>
/// <param name="StartTicks">Its start in clock ticks since the machine's start.</param>
internal sealed record ProcessRow(int Pid, char State, int Session, ulong StartTicks)
{
    /// <summary>Gets whether it is stopped by a signal.</summary>
    public bool IsStopped => State is 'T' or 't';

    /// <summary>Gets whether it has ended and only waits to be reaped.</summary>
    public bool IsDead => State is 'Z' or 'X' or 'x';
}

/// <summary>Linux's table of processes under <c>/proc</c>.</summary>
internal static class ProcessTable
{
    private const int SessionField = 3;
    private const int StartTimeField = 19;

    /// <summary>Reads a process's row; null when there is none.</summary>
    public static ProcessRow? Read(int pid)
    {
        var text = ReadAll($"/proc/{pid}/stat");
        if (text is null)
        {
            return null;
        }

        // The name stands in brackets and may hold anything, brackets too; what follows the last one has no names.
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return new ProcessRow(
            pid,
            fields[0][0],
            int.Parse(fields[SessionField], CultureInfo.InvariantCulture),
            ulong.Parse(fields[StartTimeField], CultureInfo.InvariantCulture));
    }

    /// <summary>Reads a process's arguments; empty when there is none or it is another user's.</summary>
    public static IReadOnlyList<string> Arguments(int pid) => Split($"/proc/{pid}/cmdline");

    /// <summary>Reads a process's environment; empty when there is none or it is another user's.</summary>
    public static IReadOnlyList<string> Environment(int pid) => Split($"/proc/{pid}/environ");

    /// <summary>Lists the ids of all processes.</summary>
    public static IEnumerable<int> Pids() => Directory.EnumerateDirectories("/proc")
        .Select(path => int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0)
        .Where(pid => pid > 0);

    private static string[] Split(string path) => ReadAll(path)?.Split('\0', StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static string? ReadAll(string path)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
