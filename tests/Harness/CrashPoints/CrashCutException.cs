namespace MirrorController.Tests.Harness.CrashPoints;

/// <summary>The power has gone: the story ends where it is, and its recovery begins.</summary>
internal sealed class CrashCutException : Exception
{
    public CrashCutException()
        : base("The power has gone.")
    {
    }
}
