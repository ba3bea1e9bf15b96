using System.CommandLine;
using System.Text.Json;
using MirrorController.HostAgent.Control;
using MirrorController.Runtime.Configuration;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>recover</c>: makes the mirrors equal without serving them; the authority by hand.</summary>
internal sealed class RecoverVerb : Verb
{
    private readonly Target _target;
    private readonly Option<bool> _json = VerbOptions.Json();

    public RecoverVerb(CliContext context)
        : base(
            context,
            "recover",
            "Compares the boards' tag tables and copies what was in flight when the host went away. Changes nothing while an agent answers.",
            "mirrorctl recover --config /etc/mirrorcontroller/agent.json")
    {
        Add(_json);
        _target = new Target(this);
    }

    /// <inheritdoc/>
    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var agent = _target.Read(parsed);
        using (var client = new ControlClient(agent.HttpUri))
        {
            if (await client.GetStatusAsync(cancellation) is not null)
            {
                throw new CliFault($"The agent at {client.Agent} serves {agent.Volume} and recovers it by itself; nothing was changed.");
            }
        }

        var result = await Boards.RecoverAsync(agent, cancellation);
        Screen.Line(parsed.GetValue(_json)
            ? JsonSerializer.Serialize(result, ControlJson.Default.RecoveryModel)
            : $"{agent.Volume}: the mirrors are equal again; {Text(result)}");
        return ExitCode.Done;
    }

    /// <summary>Tells what was recovered.</summary>
    public static string Text(RecoveryModel recovery) =>
        $"{recovery.PlannedBlocks} blocks compared, {SizeText.Format(recovery.CopiedBytes)} copied in {recovery.Milliseconds} ms";
}
