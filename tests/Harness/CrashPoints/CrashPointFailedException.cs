namespace MirrorController.Tests.Harness.CrashPoints;

/// <summary>What came after a crash point was wrong; the message begins with its name and ends with the event log.</summary>
public sealed class CrashPointFailedException : Exception
{
    internal CrashPointFailedException(string name, string cause, IEnumerable<string> log, Exception inner)
        : base($"{name}{Environment.NewLine}{cause}{Environment.NewLine}{inner.StackTrace}{Environment.NewLine}{string.Join(Environment.NewLine, log)}", inner)
    {
        Name = name;
        Cause = cause;
    }

    /// <summary>Gets the arguments that replay it.</summary>
    public string Name { get; }

    /// <summary>Gets what went wrong, without the log.</summary>
    public string Cause { get; }
}
