using System.CommandLine;
using MirrorController.HostAgent.Configuration;
using MirrorController.HostAgent.Control;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>serve</c>: the host agent, until a signal ends it.</summary>
internal sealed class ServeVerb : Verb
{
    private readonly Option<string> _config = VerbOptions.Path("--config", "The agent's configuration file.", "FILE");

    public ServeVerb(CliContext context)
        : base(
            context,
            "serve",
            "Serves the volume over NBD until SIGTERM or Ctrl-C, which flush and end cleanly.",
            "mirrorctl serve --config /etc/mirrorcontroller/agent.json") => Add(_config);

    /// <inheritdoc/>
    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var agent = Target.ReadFile(parsed.GetRequiredValue(_config));
        using var file = agent.LogPath is { } path ? OpenLog(path) : null;
        return await ServeAsync(agent, (INodeLog?)file ?? new ConsoleLog());
    }

    private static FileLog OpenLog(string path)
    {
        try
        {
            return new FileLog(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliFault($"The log {path} cannot be written: {e.Message.TrimEnd('.')}.", ExitCode.Usage);
        }
    }

    private async Task<int> ServeAsync(AgentConfiguration agent, INodeLog log)
    {
        using var node = new AgentNode(agent, log);
        using var signals = new EndSignals(() =>
        {
            node.BeginShutdown();
            return Task.CompletedTask;
        });
        try
        {
            await using var control = await ControlServer.StartAsync(agent.Http, node);
            node.Start();
            return await node.Ended;
        }
        catch (IOException e)
        {
            throw new CliFault(e.Message, ExitCode.Unusable);
        }
    }
}
