using MirrorController.HostAgent.Rig;
using Spectre.Console;

namespace MirrorController.HostAgent.Cli;

/// <summary>The rig as lines of markup.</summary>
internal static class RigText
{
    /// <summary>What is said when the rig is ready: where the volume is, and what one may try.</summary>
    /// <param name="rig">The rig.</param>
    /// <param name="dirArgument">The argument that names its folder to other commands, with a leading blank; or empty.</param>
    public static IReadOnlyList<string> Ready(RigModel rig, string dirArgument)
    {
        var dir = Markup.Escape(dirArgument);
        var nbd = Markup.Escape(rig.Nbd);
        return
        [
            $"[green]ready[/]  {nbd}  {Markup.Escape(rig.Http)}  {Markup.Escape(rig.Dir)}",
            $"  nbdinfo {nbd}",
            $"  nbdcopy disk.img {nbd}",
            $"  qemu-img compare -f raw -F raw disk.img {nbd}",
            $"  mirrorctl rig cut pi-a{dir}; mirrorctl rig restore pi-a{dir}; mirrorctl status{dir}",
        ];
    }

    /// <summary>The nodes' processes.</summary>
    public static IReadOnlyList<string> Nodes(RigModel rig)
    {
        var width = Math.Max(RigPaths.Host.Length, rig.Boards.Max(b => b.Name.Length));
        return
        [
            $"rig {Markup.Escape(rig.Dir)}  {Markup.Escape(rig.Nbd)}  {Markup.Escape(rig.Http)}",
            .. rig.Boards.Select(b => Node(b.Name, b.Process, b.Pid, b.Reason, width)),
            Node(RigPaths.Host, rig.Host.Process, rig.Host.Pid, rig.Host.Reason, width),
        ];
    }

    private static string Node(string name, NodeProcess process, int pid, string? reason, int width)
    {
        var colour = process switch
        {
            NodeProcess.Running => "green",
            NodeProcess.Starting => "yellow",
            _ => "red",
        };
        var tail = pid == 0 ? "" : $"process {pid}";
        return $"  {Markup.Escape(name.PadRight(width))}  [{colour}]{process,-8}[/]  {tail}{(reason is null ? "" : (tail.Length > 0 ? ", " : "") + Markup.Escape(reason))}".TrimEnd();
    }
}
