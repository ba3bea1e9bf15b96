using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Unit.Runtime;

/// <summary>A loop with its network, as the contract suite sees it.</summary>
public abstract class LoopRig : IDisposable
{
    public abstract ILoop Loop { get; }

    public abstract INetwork Network { get; }

    /// <summary>Where a test listens; port 0.</summary>
    public abstract NodeAddress ListenAddress { get; }

    /// <summary>An address of this machine where nobody listens.</summary>
    public abstract NodeAddress NobodysAddress { get; }

    /// <summary>Makes an address that takes no connection and gives no answer.</summary>
    public abstract NodeAddress SilentAddress();

    /// <summary>Runs the loop on this thread until the condition holds; fails the test when it does not for too long.</summary>
    public abstract void RunUntil(Func<bool> condition);

    public abstract void Dispose();
}
