using System.Diagnostics;
using System.Text.Json.Nodes;
using MirrorController.HostAgent.Rig;
using MirrorController.Tests.EndToEnd.Rig;

namespace MirrorController.Tests.EndToEnd.ByHand;

/// <summary>Two boards and an agent, started from configuration files as on real machines, without the rig.</summary>
internal sealed class HandLab : IDisposable
{
    private const int EndMsMax = 60_000;
    private const int VerbMsMax = 120_000;
    private static readonly string[] BoardNames = ["north", "south"];
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, Process> _running = new(StringComparer.Ordinal);
    private readonly string _agentFile;

    public HandLab(string size, string cache)
    {
        File.WriteAllText(_folder.File("secret"), new string('7', 64) + "\n");
        using (var ports = new FreePorts())
        {
            var boards = BoardNames.Select(name => (Name: name, Address: $"127.0.0.1:{ports.Take()}")).ToArray();
            foreach (var (name, address) in boards)
            {
                File.WriteAllText(_folder.File(name + ".json"), $$"""
                    {
                      "name": "{{name}}",
                      "listen": "{{address}}",
                      "secretFile": "secret",
                      "nvm": { "kind": "fram", "file": "{{name}}.nvm" },
                      "disk": { "path": "{{name}}.disk", "kind": "file", "cache": "{{cache}}" }
                    }
                    """);
            }

            Nbd = $"127.0.0.1:{ports.Take()}";
            _agentFile = _folder.File("agent.json");
            File.WriteAllText(_agentFile, $$"""
                {
                  "volume": "pond",
                  "nbd": "{{Nbd}}",
                  "http": "127.0.0.1:{{ports.Take()}}",
                  "secretFile": "secret",
                  "log": "agent.log",
                  "boards": [ {{string.Join(", ", boards.Select(b => $$"""{ "name": "{{b.Name}}", "address": "{{b.Address}}" }"""))}} ]
                }
                """);
        }

        foreach (var board in BoardNames)
        {
            StartBoard(board);
        }

        // A board that is just starting is not there yet.
        Until(() => Ask("volume", "create", "pond", "--size", size, "--config", _agentFile).Code == 0, "The volume was not created.");
        StartAgent();
    }

    /// <summary>Gets where the volume is served.</summary>
    public string Nbd { get; }

    /// <summary>Gets the volume's URI.</summary>
    public string Uri => $"nbd://{Nbd}/pond";

    /// <summary>Gets a folder for the test's files.</summary>
    public TemporaryFolder Files => _folder;

    /// <summary>Starts a board.</summary>
    public void StartBoard(string name) => Start(name, RigLab.MirrorBoard, "--config", _folder.File(name + ".json"));

    /// <summary>Starts the agent and waits until the volume is in sync.</summary>
    public void StartAgent()
    {
        Start("agent", RigLab.Mirrorctl, "serve", "--config", _agentFile);
        Run("wait", "--for", "insync", "--timeout", "60s");
    }

    /// <summary>Pulls a node's power.</summary>
    public void Cut(string node)
    {
        _running.Remove(node, out var process);
        using (process)
        {
            process!.Kill();
            process.WaitForExit();
        }
    }

    /// <summary>Runs a verb about this agent.</summary>
    public string Run(params string[] verb) => Tools.Run(VerbMsMax, 0, RigLab.Mirrorctl, [.. verb, "--config", _agentFile]);

    /// <summary>Gets the volume's status; null when no agent answers.</summary>
    public JsonNode? Volume() => Ask("status", "--json", "--config", _agentFile) is { Code: 0 or 1, Said: var said }
        ? JsonNode.Parse(said)!["volumes"]![0]
        : null;

    /// <summary>Ends the agent, then the boards, as their services do.</summary>
    public void EndCleanly()
    {
        foreach (var node in BoardNames.Prepend("agent"))
        {
            _running.Remove(node, out var process);
            using (process)
            {
                Tools.Run("kill", "-TERM", $"{process!.Id}");
                Assert.True(process.WaitForExit(EndMsMax), $"{node} did not end in time.");
                Assert.Equal(0, process.ExitCode);
            }
        }
    }

    /// <summary>Waits until something is so; a limit only for failures.</summary>
    public static void Until(Func<bool> isSo, string otherwise)
    {
        var clock = Stopwatch.StartNew();
        while (!isSo())
        {
            Assert.True(clock.ElapsedMilliseconds < EndMsMax, otherwise);
        }
    }

    public void Dispose()
    {
        foreach (var node in _running.Keys.ToArray())
        {
            Cut(node);
        }

        _folder.Dispose();
    }

    private static (int Code, string Said) Ask(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(RigLab.Mirrorctl, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        var said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, said);
    }

    private void Start(string node, string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _running.Add(node, process);
    }
}
