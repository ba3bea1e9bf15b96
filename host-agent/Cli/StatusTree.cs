using System.Globalization;
using MirrorController.HostAgent.Control;
using MirrorController.Runtime.Configuration;
using Spectre.Console;

namespace MirrorController.HostAgent.Cli;

/// <summary>The status as a tree of lines, in markup.</summary>
internal static class StatusTree
{
    /// <summary>Gets the lines of a status.</summary>
    /// <param name="status">The status.</param>
    /// <param name="onlyUnhealthy">Whether volumes and members that are well are left out.</param>
    public static IReadOnlyList<string> Lines(StatusModel status, bool onlyUnhealthy = false)
    {
        var lines = new List<string>();
        foreach (var volume in status.Volumes)
        {
            if (!onlyUnhealthy || !IsHealthy(volume))
            {
                AddVolume(lines, volume, onlyUnhealthy);
            }
        }

        if (lines.Count == 0)
        {
            lines.Add(onlyUnhealthy ? "all volumes are healthy" : "no volumes");
        }

        return lines;
    }

    /// <summary>Tells whether nothing is wrong with a volume.</summary>
    public static bool IsHealthy(VolumeModel volume) => volume is { State: VolumeState.InSync, Warnings.Count: 0 } && volume.Members.All(IsHealthy);

    private static bool IsHealthy(MemberModel member) => member is { Connection: MemberConnection.Connected, Sync: MemberSync.InSync };

    private static void AddVolume(List<string> lines, VolumeModel volume, bool onlyUnhealthy)
    {
        var inSync = volume.Members.Count(m => m.Sync == MemberSync.InSync);
        var marks = string.Concat(volume.Members.Select(m => m.Sync == MemberSync.InSync ? 'U' : '_'));
        lines.Add($"volume {Markup.Escape(volume.Name)}  [{Colour(volume.State)}]{Word(volume.State)}[/]  [[{marks}]]  "
            + $"{inSync}/{volume.Members.Count} boards in sync  {SizeText.Format(volume.SizeBytes)}   {Markup.Escape(volume.Nbd)}");
        var nameWidth = volume.Members.Select(m => m.Board.Length).DefaultIfEmpty().Max();
        foreach (var member in volume.Members)
        {
            if (!onlyUnhealthy || !IsHealthy(member))
            {
                lines.Add(MemberLine(member, nameWidth));
            }
        }

        if (volume.WaitingFor is { } waiting)
        {
            lines.Add($"  [yellow]waiting:[/] {Markup.Escape(waiting)}");
        }

        if (volume.AtRisk.Bytes > 0)
        {
            lines.Add($"  at risk: {SizeText.Format(volume.AtRisk.Bytes)} acknowledged and not yet durable, the oldest for {volume.AtRisk.OldestMs} ms");
        }

        foreach (var warning in volume.Warnings)
        {
            lines.Add($"  [yellow]warning:[/] {Markup.Escape(warning)}");
        }

        if (onlyUnhealthy)
        {
            return;
        }

        if (volume.LastRecovery is { } recovery)
        {
            lines.Add($"  last recovery: {recovery.PlannedBlocks} blocks compared, {SizeText.Format(recovery.CopiedBytes)} copied in {recovery.Milliseconds} ms");
        }

        if (volume.Outlook is { } outlook)
        {
            lines.Add($"  outlook: {Markup.Escape(outlook)}");
        }
    }

    private static string MemberLine(MemberModel member, int nameWidth)
    {
        var well = IsHealthy(member);
        var nvm = member.NvmUsedPercent is { } percent
            ? string.Create(CultureInfo.InvariantCulture, $"{Markup.Escape(member.NvmKind ?? "nvm")} {percent:F0}% full")
            : "";
        var tail = well ? nvm : $"{nvm}  {Reason(member)}".TrimStart();
        return $"  {Markup.Escape(member.Board.PadRight(nameWidth))}  {member.Connection,-12}  [{(well ? "green" : "yellow")}]{member.Sync,-10}[/]  {tail}".TrimEnd();
    }

    private static string Reason(MemberModel member) =>
        $"{Markup.Escape(member.Reason ?? "")}{(member.Reason is null ? "" : ", ")}since {member.Since.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z";

    private static string Word(VolumeState state) => state switch
    {
        VolumeState.InSync => "IN SYNC",
        VolumeState.SplitBrain => "SPLIT BRAIN",
        _ => state.ToString().ToUpperInvariant(),
    };

    private static string Colour(VolumeState state) => state switch
    {
        VolumeState.InSync => "green",
        VolumeState.SplitBrain or VolumeState.Failed => "red",
        _ => "yellow",
    };
}
