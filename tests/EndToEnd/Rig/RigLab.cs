using System.Globalization;
using System.Text.Json.Nodes;
using MirrorController.HostAgent.Rig;

namespace MirrorController.Tests.EndToEnd.Rig;

/// <summary>A detached rig in a folder of its own, driven by the command line as a user does it; gone with the test.</summary>
internal sealed class RigLab : IDisposable
{
    private const int VerbMsMax = 120_000;
    private readonly TemporaryFolder _folder = new();

    public RigLab(params string[] options)
    {
        using (var ports = new FreePorts())
        {
            Nbd = "127.0.0.1:" + ports.Take().ToString(CultureInfo.InvariantCulture);
        }

        Ready = JsonNode.Parse(Ctl(0, ["rig", "up", "--detach", "--json", "--dir", Dir, "--nbd", Nbd, .. options]))!;
    }

    /// <summary>Gets the programs as the build puts them.</summary>
    public static string Mirrorctl { get; } = Built("host-agent", "mirrorctl");

    /// <summary>Gets the board's program.</summary>
    public static string MirrorBoard { get; } = Built("firmware", "mirror-board");

    /// <summary>Gets the rig's folder.</summary>
    public string Dir => _folder.File("lab");

    /// <summary>Gets where the volume is served.</summary>
    public string Nbd { get; }

    /// <summary>Gets the volume's URI.</summary>
    public string Uri => $"nbd://{Nbd}/tank";

    /// <summary>Gets what the rig said when it was ready.</summary>
    public JsonNode Ready { get; }

    /// <summary>Gets a folder for the test's files.</summary>
    public TemporaryFolder Files => _folder;

    /// <summary>Runs a verb about this rig and expects exit code 0.</summary>
    public string Run(params string[] verb) => Run(0, verb);

    /// <summary>Runs a verb about this rig and expects an exit code.</summary>
    public string Run(int exitCode, params string[] verb) => Ctl(exitCode, [.. verb, "--dir", Dir]);

    /// <summary>Gets the volume's status.</summary>
    public JsonNode Volume(int exitCode = 0) => JsonNode.Parse(Run(exitCode, "status", "--json"))!["volumes"]![0]!;

    public void Dispose()
    {
        Run("rig", "down");
        _folder.Dispose();
    }

    private static string Ctl(int exitCode, string[] arguments) => Tools.Run(VerbMsMax, exitCode, Mirrorctl, arguments);

    private static string Built(string project, string program)
    {
        var here = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        var configuration = Path.GetFileName(Path.GetDirectoryName(here))!;
        return Path.GetFullPath(Path.Combine(here, "..", "..", "..", "..", "..", project, "bin", configuration, "net10.0", program));
    }
}
