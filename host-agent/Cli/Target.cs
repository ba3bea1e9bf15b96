using System.CommandLine;
using MirrorController.HostAgent.Configuration;
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

    /// <summary>Gets the argument with which another command is about the same, for messages.</summary>
    public string Argument(ParseResult parsed) => parsed.GetValue(_config) is { } config
        ? " --config " + config
        : new RigPaths(parsed.GetValue(_dir)).DirArgument;

    /// <summary>Reads a configuration file.</summary>
    /// <exception cref="CliFault">It has mistakes.</exception>
    public static AgentConfiguration ReadFile(string path) =>
        AgentConfiguration.Read(path, out var file) ?? throw new CliFault(file.FirstFault()!, ExitCode.Usage);
}
