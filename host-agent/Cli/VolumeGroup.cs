using System.CommandLine;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>volume</c>: volumes on the boards.</summary>
internal sealed class VolumeGroup : Command
{
    public VolumeGroup(CliContext context)
        : base("volume", "Creates and lists volumes.")
    {
        Add(new VolumeCreateVerb(context));
        Add(new VolumeListVerb(context));
    }
}
