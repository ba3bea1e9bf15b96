namespace MirrorController.Tests.Harness;

/// <summary>A callback of a node threw; the message names the node, the virtual time and the seed.</summary>
public sealed class SimNodeException(string nodeName, string message, Exception inner) : Exception(message, inner)
{
    public string NodeName { get; } = nodeName;
}
