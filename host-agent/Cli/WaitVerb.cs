using System.CommandLine;
using MirrorController.HostAgent.Control;
using MirrorController.Runtime.Configuration;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>wait</c>: blocks until the volumes are as wished.</summary>
internal sealed class WaitVerb : Verb
{
    private const long TimeoutMsDefault = 60_000;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastAnswerMax = TimeSpan.FromSeconds(1);
    private readonly Target _target;
    private readonly Option<string?> _for = VerbOptions.Choice("--for", "What is waited for.", "insync");
    private readonly Option<long?> _timeout = VerbOptions.Duration("--timeout", "How long at most (default 60s).");

    public WaitVerb(CliContext context)
        : base(context, "wait", "Waits until all volumes are in sync.", "mirrorctl wait --for insync --timeout 60s")
    {
        _for.Required = true;
        Add(_for);
        Add(_timeout);
        _target = new Target(this);
    }

    /// <inheritdoc/>
    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var timeoutMs = parsed.GetValue(_timeout) ?? TimeoutMsDefault;
        using var client = new ControlClient(_target.Read(parsed).HttpUri);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(TimeSpan.FromMilliseconds(timeoutMs));
        StatusModel? last = null;
        var isKnown = false;
        try
        {
            while (true)
            {
                last = await client.GetStatusAsync(bound.Token);
                isKnown = true;
                if (last is not null && last.Volumes.All(v => v.State == VolumeState.InSync))
                {
                    return ExitCode.Done;
                }

                await Task.Delay(Poll, bound.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // A short timeout must not turn a slow answer into none.
            last = isKnown ? last : await LastAnswerAsync(client, cancellation);
            throw last is null
                ? await _target.NoAgentAsync(parsed, client, cancellation)
                : new CliFault($"Not in sync after {DurationText.Format(timeoutMs)}: {Summary(last)}", StatusVerb.CodeOf(last));
        }
    }

    private static async Task<StatusModel?> LastAnswerAsync(ControlClient client, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(LastAnswerMax);
        try
        {
            return await client.GetStatusAsync(bound.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    private static string Summary(StatusModel status) => string.Join("; ", status.Volumes
        .Where(v => v.State != VolumeState.InSync)
        .Select(v => $"volume {v.Name} is {v.State}{(v.WaitingFor is null ? "" : ": " + v.WaitingFor.TrimEnd('.'))}")) + ".";
}
