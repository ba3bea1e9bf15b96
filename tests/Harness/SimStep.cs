namespace MirrorController.Tests.Harness;

/// <summary>What kind of moment a step is.</summary>
public enum SimStepKind
{
    /// <summary>A chip's write has begun: a cut now leaves a part of it.</summary>
    NvmWriteBegins,

    /// <summary>A chip's write has ended, and its node does not know yet.</summary>
    NvmWriteEnds,

    /// <summary>A disk's write or sync has begun.</summary>
    DiskBegins,

    /// <summary>A disk's write or sync has ended, and its node does not know yet.</summary>
    DiskEnds,

    /// <summary>A frame is about to be delivered: a step of both ends, for one has sent it and the other has not taken it.</summary>
    FrameArrives,
}

/// <summary>A moment at which a power cut leaves something else behind than a moment before.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Node">Where it happens.</param>
/// <param name="Peer">A frame's sender; else null.</param>
/// <param name="What">The operation or the frame, for a log.</param>
/// <param name="IsHandshake">Whether it is a frame by which two nodes get to know each other.</param>
public readonly record struct SimStep(SimStepKind Kind, string Node, string? Peer, string What, bool IsHandshake = false);
