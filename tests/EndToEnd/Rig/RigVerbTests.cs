using System.Diagnostics;
using System.Text.Json.Nodes;
using MirrorController.HostAgent.Rig;

namespace MirrorController.Tests.EndToEnd.Rig;

/// <summary>The verbs around the main job.</summary>
public sealed class RigVerbTests
{
    [Fact]
    public void The_ready_object_names_processes_and_data()
    {
        using var lab = new RigLab("--size", "64MiB");
        var written = lab.Files.RandomFile("image", 1 << 20, seed: 3);
        Tools.Run("nbdcopy", "--flush", written, lab.Uri);

        Assert.Equal(lab.Uri, (string?)lab.Ready["nbd"]);
        Assert.Equal(["pi-a", "pi-b"], lab.Ready["boards"]!.AsArray().Select(b => (string?)b!["name"]));
        foreach (var board in lab.Ready["boards"]!.AsArray())
        {
            Assert.NotNull(ProcessTable.Read((int)board!["pid"]!));
            // Not by a stream of this process: the board has the file locked for .NET's programs.
            Tools.Run("cmp", "-n", "1048576", "-i", $"0:{(long)board["dataOffset"]!}", written, (string)board["dataFile"]!);
        }

        Assert.NotNull(ProcessTable.Read((int)lab.Ready["host"]!["pid"]!));
    }

    [Fact]
    public void A_board_that_is_cut_is_named_and_the_table_of_another_can_be_read()
    {
        using var lab = new RigLab("--size", "64MiB");

        lab.Run("rig", "cut", "pi-b");

        var volume = WaitFor(lab, "Waiting", exitCode: 1);
        Assert.Contains("pi-b", (string?)volume["waitingFor"], StringComparison.Ordinal);
        Assert.Equal("fram", (string?)JsonNode.Parse(lab.Run("table", "show", "pi-a", "--json"))!["nvm"]!["kind"]);
        lab.Run(1, "wait", "--for", "insync", "--timeout", "100ms");
        lab.Run("rig", "restore", "pi-b");
        lab.Run("wait", "--for", "insync", "--timeout", "60s");
    }

    [Fact]
    public void Recover_and_verify_work_without_an_agent_and_recover_changes_nothing_with_one()
    {
        using var lab = new RigLab("--size", "64MiB");
        lab.Run(1, "recover");

        lab.Run("rig", "cut", "host");

        lab.Run(4, "status");
        lab.Run("recover");
        lab.Run("verify", "tank");
        lab.Run("rig", "restore", "host");
        lab.Run("wait", "--for", "insync", "--timeout", "60s");
    }

    [Fact]
    public void The_rig_goes_down_while_io_is_held()
    {
        using var lab = new RigLab("--size", "64MiB");
        lab.Run("rig", "cut", "--silent", "pi-a");
        using var writer = Process.Start(new ProcessStartInfo("nbdcopy", [lab.Files.RandomFile("image", 8 << 20, seed: 4), lab.Uri])
        {
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;

        lab.Run("rig", "down");

        writer.WaitForExit();
        Assert.Empty(Leftovers.Find(new RigPaths(lab.Dir)));
        lab.Run(4, "rig", "status");
    }

    [Fact]
    public void A_killed_supervisors_leftovers_are_in_nobodys_way()
    {
        using var lab = new RigLab("--size", "64MiB");
        lab.Run("rig", "cut", "--silent", "pi-b");
        using (var supervisor = Process.GetProcessById((int)lab.Ready["supervisor"]!))
        {
            supervisor.Kill();
            supervisor.WaitForExit();
        }

        Assert.Equal(3, Leftovers.Find(new RigPaths(lab.Dir)).Count);
        lab.Run(4, "rig", "cut", "pi-a");
        lab.Run("rig", "up", "--detach");

        Assert.Equal("InSync", (string?)lab.Volume()["state"]);
    }

    [Fact]
    public void A_second_rig_on_the_folder_and_another_shape_are_refused()
    {
        using var lab = new RigLab("--size", "64MiB");

        lab.Run(1, "rig", "up", "--detach");
        lab.Run("rig", "down");
        lab.Run(64, "rig", "up", "--detach", "--boards", "3");
        lab.Run(64, "rig", "up", "--detach", "--size", "65MiB");
        lab.Run("rig", "up", "--detach", "--size", "64MiB", "--boards", "2");
    }

    private static JsonNode WaitFor(RigLab lab, string state, int exitCode)
    {
        while (true)
        {
            using var process = Process.Start(new ProcessStartInfo(RigLab.Mirrorctl, ["status", "--json", "--dir", lab.Dir])
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            })!;
            var volume = JsonNode.Parse(process.StandardOutput.ReadToEnd())!["volumes"]![0]!;
            process.WaitForExit();
            if ((string?)volume["state"] == state)
            {
                Assert.Equal(exitCode, process.ExitCode);
                return volume;
            }
        }
    }
}
