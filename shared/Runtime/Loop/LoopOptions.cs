namespace MirrorController.Runtime;

/// <summary>Which system call a loop waits in.</summary>
public enum LoopBackend
{
    /// <summary>Epoll on Linux, <c>Select</c> elsewhere.</summary>
    Automatic,

    /// <summary>Epoll: Linux only, costs the same for three connections and for three hundred.</summary>
    Epoll,

    /// <summary><c>Socket.Select</c>: everywhere, and good for a few dozen connections.</summary>
    Select,
}

/// <summary>What can be chosen about a loop.</summary>
public sealed record LoopOptions
{
    /// <summary>The spinning time in microseconds that suits a machine with two cores or more.</summary>
    public const int SpinMicrosDefault = 150;

    /// <summary>Gets the system call to wait in.</summary>
    public LoopBackend Backend { get; init; }

    /// <summary>Gets how long to look for work before sleeping, in microseconds; 0 turns it off.</summary>
    /// <remarks>A wake-up costs more than a small request, so looking for a while doubles the speed of one client at queue depth 1.</remarks>
    public int SpinMicros { get; init; } = Environment.ProcessorCount >= 2 ? SpinMicrosDefault : 0;

    /// <summary>Gets who is told that a callback threw: a bug was found and the loop has halted.</summary>
    /// <remarks>Called on the loop's thread, after its last turn. Without it, <see cref="RuntimeLoop.Run"/> throws.</remarks>
    public Action<Exception>? OnFatal { get; init; }
}
