using System.CommandLine;
using MirrorController.HostAgent.Control;
using MirrorController.HostAgent.Rig;

namespace MirrorController.HostAgent.Cli;

/// <summary>The supervisor behind <c>rig up --detach</c>; not for people.</summary>
internal sealed class RigSuperviseVerb : Verb
{
    public const string VerbName = "__supervise";
    private readonly Option<string?> _dir = RigGroup.Dir();

    public RigSuperviseVerb(CliContext context)
        : base(context, VerbName, "The supervisor of a detached rig.")
    {
        Hidden = true;
        Add(_dir);
    }

    /// <inheritdoc/>
    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        await using var session = await RigSession.OpenAsync(new RigPaths(parsed.GetValue(_dir)), new RigOptions(), Boards);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        session.Supervisor.GoingDown.Register(ended.SetResult);
        using var signals = new EndSignals(session.Supervisor.DownAsync);
        try
        {
            await session.Supervisor.UpAsync(cancellation);
        }
        catch (Exception e) when (e is IOException or ControlException or OperationCanceledException)
        {
            await session.Supervisor.DownAsync();
            throw new CliFault(e is OperationCanceledException ? "The rig was ended while it started." : e.Message, NodeFault.CodeOf(e));
        }

        await ended.Task;
        await session.Supervisor.DownAsync();
        return ExitCode.Done;
    }
}
