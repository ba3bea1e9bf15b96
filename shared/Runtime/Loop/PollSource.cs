using System.Net.Sockets;

namespace MirrorController.Runtime;

/// <summary>A socket whose readiness a loop waits for.</summary>
internal abstract class PollSource
{
    /// <summary>Gets the socket while there is one.</summary>
    public abstract Socket? Socket { get; }

    /// <summary>Gets the system's number of the socket.</summary>
    public int Descriptor { get; protected set; } = -1;

    /// <summary>Gets or sets the back-end's own mark for this source.</summary>
    public int Slot { get; set; } = -1;

    public abstract bool WantsRead { get; }

    public abstract bool WantsWrite { get; }

    /// <summary>The socket is ready, or failed; both flags may be set at once.</summary>
    public abstract void Ready(bool readable, bool writable, bool failed);

    /// <summary>The loop is disposed: let go of the socket, tell nobody.</summary>
    public abstract void Abandon();
}
