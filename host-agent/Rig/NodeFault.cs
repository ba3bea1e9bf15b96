namespace MirrorController.HostAgent.Rig;

/// <summary>A node that does not run, in one sentence.</summary>
/// <param name="sentence">The sentence.</param>
/// <param name="isUnusable">Whether the process itself said that it is unusable (its exit code was 2), as when an address is taken.</param>
internal sealed class NodeFault(string sentence, bool isUnusable) : IOException(sentence)
{
    /// <summary>Gets the exit code that goes with the fault.</summary>
    public int ExitCode { get; } = isUnusable ? Cli.ExitCode.Unusable : Cli.ExitCode.Failed;

    /// <summary>Gets the exit code that goes with any fault of the rig.</summary>
    public static int CodeOf(Exception e) => e is NodeFault fault ? fault.ExitCode : Cli.ExitCode.Failed;
}
