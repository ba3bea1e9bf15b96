using System.CommandLine;
using System.Text.Json;
using MirrorController.HostAgent.Configuration;
using MirrorController.HostAgent.Control;
using MirrorController.Runtime.Configuration;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>verify</c>: compares the members everywhere; by the agent, or without one as authority.</summary>
internal sealed class VerifyVerb : Verb
{
    private readonly Target _target;
    private readonly Argument<string> _volume = new("VOLUME") { Description = "The volume's name." };
    private readonly Option<bool> _json = VerbOptions.Json();

    public VerifyVerb(CliContext context)
        : base(
            context,
            "verify",
            "Compares the mirrors of a volume and prints the ranges that differ; without an agent it recovers them first. Exit code 0: equal, 1: different, 4: cannot tell.",
            "mirrorctl verify tank",
            "mirrorctl verify tank --config /etc/mirrorcontroller/agent.json --json")
    {
        Add(_volume);
        Add(_json);
        _target = new Target(this);
    }

    /// <inheritdoc/>
    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var agent = _target.Read(parsed);
        var volume = parsed.GetRequiredValue(_volume);
        if (volume != agent.Volume)
        {
            throw new CliFault($"There is no volume {volume} in {agent.FilePath}; it has {agent.Volume}.", ExitCode.Usage);
        }

        var result = await ProgressBar.RunAsync(Screen, "verify " + volume, progress => VerifyAsync(agent, progress, cancellation));
        if (parsed.GetValue(_json))
        {
            Screen.Line(JsonSerializer.Serialize(result, ControlJson.Default.VerifyModel));
        }
        else
        {
            Print(result);
        }

        return result.Equal ? ExitCode.Done : ExitCode.Failed;
    }

    private async Task<VerifyModel> VerifyAsync(AgentConfiguration agent, Action<long, long> progress, CancellationToken cancellation)
    {
        using var client = new ControlClient(agent.HttpUri);
        try
        {
            return await client.VerifyAsync(agent.Volume, progress, cancellation)
                ?? await Boards.VerifyAsync(agent, progress, cancellation);
        }
        catch (ControlException e)
        {
            // 1 is 'different', and whatever kept the comparison from its end has not shown that.
            throw new CliFault(e.Message, ExitCode.CannotTell);
        }
    }

    private void Print(VerifyModel result)
    {
        if (result.Recovery is { } recovery)
        {
            Screen.Line($"{result.Volume}: no agent serves it; recovered first: {RecoverVerb.Text(recovery)}");
        }

        foreach (var difference in result.Differences)
        {
            Screen.Line($"differs: offset {difference.OffsetBytes} length {difference.LengthBytes}");
        }

        Screen.Line(result.Equal
            ? $"{result.Volume}: the mirrors are equal, {Written(result)} in {result.Milliseconds} ms"
            : $"{result.Volume}: the mirrors differ in {result.Differences.Count} ranges, {SizeText.Format(result.Differences.Sum(d => d.LengthBytes))} in all; {Written(result)}");
    }

    private static string Written(VerifyModel result) =>
        $"{SizeText.Format(result.ComparedBytes)} of {SizeText.Format(result.SizeBytes)} are written and were compared";
}
