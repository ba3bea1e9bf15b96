using MirrorController.HostAgent.Nbd;

namespace MirrorController.HostAgent.Rig.Torture;

/// <summary>One request of the load, from its issue to its reply.</summary>
internal sealed class NbdCall
{
    public required NbdCommand Command { get; init; }

    /// <summary>Gets the checker's moment of the issue.</summary>
    public required long Issued { get; init; }

    public long FirstSector { get; init; }

    public int LengthBytes { get; init; }

    /// <summary>Gets the write; null for others.</summary>
    public TortureWrite? Write { get; init; }

    /// <summary>Gets what a read has brought so far.</summary>
    public byte[] Data { get; init; } = [];
}
