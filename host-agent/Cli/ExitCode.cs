namespace MirrorController.HostAgent.Cli;

/// <summary>The exit codes of all verbs.</summary>
internal static class ExitCode
{
    /// <summary>Done, healthy, equal.</summary>
    public const int Done = 0;

    /// <summary>Failed, degraded, different.</summary>
    public const int Failed = 1;

    /// <summary>Unusable: nothing can be done before a person has helped.</summary>
    public const int Unusable = 2;

    /// <summary>Cannot tell: who would know does not answer.</summary>
    public const int CannotTell = 4;

    /// <summary>Wrong usage or configuration.</summary>
    public const int Usage = 64;
}
