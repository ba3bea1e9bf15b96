using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Harness;

/// <summary>One frame that a scripted peer received.</summary>
public sealed record ScriptedFrame(FrameHeader Header, byte[] Body)
{
    /// <summary>Gets the sentence of a refusal.</summary>
    public string Sentence => Body.Length > 0 ? new WireReader(Body).Text() : string.Empty;

    /// <inheritdoc/>
    public override string ToString() => $"{Header.Command} {Header.Status} tag {new Protocol.Tags.Tag(Header.Tag)}";
}
