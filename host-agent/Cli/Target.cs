using System.CommandLine;
using MirrorController.HostAgent.Configuration;
using MirrorController.HostAgent.Control;
using MirrorController.HostAgent.Rig;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>--dir</c> and <c>--config</c>: which agent and boards a verb is about.</summary>
internal sealed class Target
{
    private readonly Option<string?> _dir = VerbOptions.OptionalPath("--dir", "The rig's folder.", "DIR");

    private readonly Option<string?> _config = VerbOptions.OptionalPath(
        "--config", "The configuration file of 'serve'; without it and --dir, the rig in its default folder.", "FILE");

    /// <summary>Makes both options of a verb.</summary>
    public Target(Command verb)
    {
        verb.Add(_config);
        verb.Add(_dir);
        verb.Validators.Add(result =>
        {
            if (result.GetResult(_dir) is not null && result.GetResult(_config) is not null)
            {
                result.AddError("--dir and --config exclude each other: a rig's folder holds its own configuration");
            }
        });
    }

    /// <summary>Reads the agent's configuration.</summary>
    /// <exception cref="CliFault">There is none, or it has mistakes.</exception>
    public AgentConfiguration Read(ParseResult parsed)
    {
        if (parsed.GetValue(_config) is { } config)
        {
            return ReadFile(config);
        }

        var paths = new RigPaths(parsed.GetValue(_dir));
        return RigFolder.Has(paths.AgentConfiguration)
            ? ReadFile(paths.AgentConfiguration)
            : throw new CliFault(
                $"There is no rig in {paths.Folder}; name its folder with --dir, or an agent's configuration with --config.",
                ExitCode.Usage);
    }

    /// <summary>Makes the fault for an agent that does not answer, with what brings it.</summary>
    public async Task<CliFault> NoAgentAsync(ParseResult parsed, ControlClient client, CancellationToken cancellation)
    {
        var remedy = parsed.GetValue(_config) is { } config
            ? $"start it with 'mirrorctl serve --config {config}'"
            : await RemedyAsync(new RigPaths(parsed.GetValue(_dir)), cancellation);
        return new CliFault($"No agent answers at {client.Agent}; {remedy}.", ExitCode.CannotTell);
    }

    private static async Task<string> RemedyAsync(RigPaths paths, CancellationToken cancellation)
    {
        var rig = await RigClient.AskAsync(paths, new RigRequest(RigVerb.Status, [], false), cancellation);
        return rig?.Host.Process switch
        {
            null => $"start the rig with 'mirrorctl rig up{paths.DirArgument}'",
            NodeProcess.Starting => "it is just starting",
            NodeProcess.Running => $"its process runs, see {rig.Host.Log}",
            _ => $"{rig.Host.Reason}; bring it back with 'mirrorctl rig restore host{paths.DirArgument}'",
        };
    }

    /// <summary>Gets the argument with which another command is about the same, for messages.</summary>
    public string Argument(ParseResult parsed) => parsed.GetValue(_config) is { } config
        ? " --config " + config
        : new RigPaths(parsed.GetValue(_dir)).DirArgument;

    /// <summary>Reads a configuration file.</summary>
    /// <exception cref="CliFault">It has mistakes.</exception>
    public static AgentConfiguration ReadFile(string path) =>
        AgentConfiguration.Read(path, out var file) ?? throw new CliFault(file.FirstFault()!, ExitCode.Usage);
}
