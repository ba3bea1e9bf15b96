namespace MirrorController.HostAgent.Rig;

/// <summary>How a process ended.</summary>
/// <param name="Code">Its exit code; null when a signal ended it.</param>
/// <param name="Signal">The signal that ended it; null when it exited.</param>
internal readonly record struct ChildExit(int? Code, int? Signal)
{
    /// <inheritdoc/>
    public override string ToString() => this switch
    {
        { Signal: { } signal } => $"ended by signal {signal}",
        { Code: { } code } => $"exited with code {code}",
        _ => "ended",
    };
}

/// <summary>A process that the rig has started. Signals to one that has ended do nothing.</summary>
internal interface IChild
{
    /// <summary>Gets the process's id.</summary>
    int Pid { get; }

    /// <summary>Gets the task that completes when the process has ended.</summary>
    Task<ChildExit> Exited { get; }

    /// <summary>Asks the process to end.</summary>
    void Terminate();

    /// <summary>Ends the process at once, also a stopped one.</summary>
    void Kill();

    /// <summary>Stops the process where it is; its sockets stay open. Returns when it has stopped.</summary>
    /// <exception cref="PlatformNotSupportedException">This system cannot stop a process.</exception>
    void Stop();
}

/// <summary>A process to be started.</summary>
/// <param name="File">The program's full path.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Environment">Variables added to the rig's own.</param>
/// <param name="LogPath">The file that its output is appended to.</param>
internal sealed record ChildCommand(
    string File,
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string> Environment,
    string LogPath);

/// <summary>Starts processes.</summary>
internal static class Child
{
    /// <summary>Starts a process in a session of its own, its output in its log.</summary>
    /// <exception cref="IOException">It cannot be started; the message is one sentence.</exception>
    public static IChild Start(ChildCommand command)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(command.LogPath)!);
        return OperatingSystem.IsLinux() ? LinuxChild.Start(command) : PortableChild.Start(command);
    }
}
