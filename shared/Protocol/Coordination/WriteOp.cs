using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;

namespace MirrorController.Protocol.Coordination;

/// <summary>One tagged write from its request to its retirement: range lock, tag, and its place in the replay buffer.</summary>
internal sealed class WriteOp : RangeLockRequest
{
    private readonly Coordinator _coordinator;

    public WriteOp(Coordinator coordinator, int members)
    {
        _coordinator = coordinator;
        Tokens = new ulong[members];
    }

    /// <summary>Gets the data; referenced until the write is retired.</summary>
    public Payload Payload { get; private set; } = null!;

    public ushort Generator { get; private set; }

    public bool Fua { get; private set; }

    public IVolumeCompletion? Done { get; set; }

    public Tag Tag { get; set; }

    /// <summary>Gets or sets the members that have replied, as bits by index.</summary>
    public uint Replied { get; set; }

    /// <summary>Gets or sets whether the application has its answer and the range is free.</summary>
    public bool Acknowledged { get; set; }

    /// <summary>Gets the tokens that the members returned; 0 for none under the present boot.</summary>
    public ulong[] Tokens { get; }

    /// <summary>Gets or sets the edge blocks still to read before an unaligned write is complete.</summary>
    public EdgeRead? Edges { get; set; }

    public void Begin(BlockRange range, Payload payload, ushort generator, bool fua, IVolumeCompletion done)
    {
        Range = range;
        Payload = payload;
        Generator = generator;
        Fua = fua;
        Done = done;
        Tag = Tag.None;
        Replied = 0;
        Acknowledged = false;
        Edges = null;
        System.Array.Clear(Tokens);
    }

    /// <summary>Puts the complete blocks in the place of an unaligned request's data.</summary>
    public void ReplacePayload(Payload payload)
    {
        Payload.Release();
        Payload = payload;
    }

    protected internal override void Granted() => _coordinator.WriteGranted(this);
}
