namespace MirrorController.HostAgent.Cli;

/// <summary>The end of a verb with one sentence for stderr: what, where, what to do; and the exit code.</summary>
internal sealed class CliFault(string sentence, int exitCode = ExitCode.Failed) : Exception(sentence)
{
    /// <summary>Gets the exit code.</summary>
    public int ExitCode { get; } = exitCode;
}
