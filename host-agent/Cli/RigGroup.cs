using System.CommandLine;

namespace MirrorController.HostAgent.Cli;

/// <summary><c>rig</c>: the desktop lab, boards as processes and their power at hand.</summary>
internal sealed class RigGroup : Command
{
    public RigGroup(CliContext context)
        : base("rig", "A desktop lab: emulated boards and a host agent as processes, whose power can be cut.")
    {
        Add(new RigUpVerb(context));
        Add(new RigDownVerb(context));
        Add(new RigStatusVerb(context));
        Add(new RigCutVerb(context));
        Add(new RigRestoreVerb(context));
        Add(new RigTortureVerb(context));
        Add(new RigSuperviseVerb(context));
    }

    /// <summary>Makes <c>--dir</c>, which every verb of the rig has.</summary>
    public static Option<string?> Dir() => VerbOptions.OptionalPath("--dir", "The rig's folder (default: in the user's state directory).", "DIR");

    /// <summary>Makes the argument for names of nodes.</summary>
    public static Argument<string[]> Nodes()
    {
        var nodes = new Argument<string[]>("NODE") { Description = "A board (pi-a, pi-b, ...) or host.", Arity = ArgumentArity.OneOrMore };
        nodes.Validators.Add(static result =>
        {
            if (result.Tokens.Any(t => t.Value.Length == 0))
            {
                result.AddError("A NODE is empty; it must be a board's name or host");
            }
        });
        return nodes;
    }
}
