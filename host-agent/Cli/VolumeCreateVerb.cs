using System.CommandLine;
using MirrorController.HostAgent.Control;
using MirrorController.HostAgent.Rig;
using MirrorController.Runtime.Configuration;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>volume create</c>: makes a volume on all boards of a configuration.</summary>
internal sealed class VolumeCreateVerb : Verb
{
    private readonly Argument<string> _name = new("NAME") { Description = "The volume's name, as in the configuration." };
    private readonly Option<long?> _size = VerbOptions.Size("--size", "The volume's size, a multiple of 4 KiB.");
    private readonly Option<string> _config = VerbOptions.Path("--config", "The configuration file of 'serve'.", "FILE");

    private readonly Option<bool> _wipe = new("--wipe")
    {
        Description = "Overwrite chips and disks with foreign content. Those of another volume are refused even then.",
    };

    public VolumeCreateVerb(CliContext context)
        : base(
            context,
            "create",
            "Creates a volume on all boards of a configuration. Repeated, it completes a creation that was cut off.",
            "mirrorctl volume create tank --size 64GiB --config /etc/mirrorcontroller/agent.json")
    {
        _size.Required = true;
        Add(_name);
        Add(_size);
        Add(_config);
        Add(_wipe);
    }

    /// <inheritdoc/>
    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var agent = Target.ReadFile(parsed.GetRequiredValue(_config));
        var name = parsed.GetRequiredValue(_name);
        if (name != agent.Volume)
        {
            throw new CliFault($"{agent.FilePath} is for volume {agent.Volume}, not {name}; both must be the same.", ExitCode.Usage);
        }

        var size = CheckSize(parsed.GetValue(_size) ?? 0);
        await Boards.CreateVolumeAsync(agent, new VolumeBirth(size, parsed.GetValue(_wipe)), cancellation);
        Screen.Line($"volume {name}, {SizeText.Format(size)}, is created on {string.Join(", ", agent.Boards.Select(b => b.Name))}; "
            + $"serve it with 'mirrorctl serve --config {parsed.GetValue(_config)}'");
        return ExitCode.Done;
    }

    /// <summary>Checks that a size is a multiple of the block.</summary>
    /// <exception cref="CliFault">It is not.</exception>
    public static long CheckSize(long bytes) => bytes % RigOptions.BlockBytes == 0
        ? bytes
        : throw new CliFault($"The size, {bytes} bytes, is no multiple of {RigOptions.BlockBytes}; the next one is {bytes + RigOptions.BlockBytes - (bytes % RigOptions.BlockBytes)}.", ExitCode.Usage);
}
