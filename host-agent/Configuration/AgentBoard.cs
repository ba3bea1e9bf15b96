using MirrorController.Protocol.Seams;

namespace MirrorController.HostAgent.Configuration;

/// <summary>A board as the agent's configuration names it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Address">Where the agent reaches it.</param>
/// <param name="PeerAddress">Where the other boards reach it.</param>
internal sealed record AgentBoard(string Name, NodeAddress Address, NodeAddress PeerAddress);
