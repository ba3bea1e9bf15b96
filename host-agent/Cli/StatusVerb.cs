using System.CommandLine;
using System.Text.Json;
using MirrorController.HostAgent.Control;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>status</c>: the volume and its members, as the agent sees them.</summary>
internal sealed class StatusVerb : Verb
{
    private readonly Target _target;
    private readonly Option<bool> _json = VerbOptions.Json();
    private readonly Option<bool> _onlyUnhealthy = new("-x") { Description = "Only what is not healthy." };

    public StatusVerb(CliContext context)
        : base(
            context,
            "status",
            "Shows volumes and members. Exit code 0: all in sync, 1: not all, 2: unusable, 4: no agent answers.",
            "mirrorctl status",
            "mirrorctl status -x --config /etc/mirrorcontroller/agent.json")
    {
        Add(_json);
        Add(_onlyUnhealthy);
        _target = new Target(this);
    }

    /// <inheritdoc/>
    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var agent = _target.Read(parsed);
        using var client = new ControlClient(agent.HttpUri);
        var status = await client.GetStatusAsync(cancellation) ?? throw await _target.NoAgentAsync(parsed, client, cancellation);
        if (parsed.GetValue(_json))
        {
            Screen.Line(JsonSerializer.Serialize(status, ControlJson.Default.StatusModel));
        }
        else
        {
            foreach (var line in StatusTree.Lines(status, parsed.GetValue(_onlyUnhealthy)))
            {
                Screen.Markup(line);
            }
        }

        return CodeOf(status);
    }

    /// <summary>Gets the exit code that goes with a status.</summary>
    public static int CodeOf(StatusModel status)
    {
        if (status.Volumes.Any(v => v.State is VolumeState.Failed or VolumeState.SplitBrain))
        {
            return ExitCode.Unusable;
        }

        return status.Volumes.All(v => v.State is VolumeState.InSync) ? ExitCode.Done : ExitCode.Failed;
    }
}
