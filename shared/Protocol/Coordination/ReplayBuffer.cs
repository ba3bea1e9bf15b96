using MirrorController.Protocol.Tags;

namespace MirrorController.Protocol.Coordination;

/// <summary>Every write of this session that is not yet durable on all in-sync members, by sequence (rules W2, B2, D4).</summary>
internal sealed class ReplayBuffer
{
    private WriteOp[] _ring = new WriteOp[256];

    /// <summary>Gets the lowest sequence in the buffer; equals <see cref="Next"/> when it is empty.</summary>
    public ulong First { get; private set; } = 1;

    /// <summary>Gets the sequence that the next write draws.</summary>
    public ulong Next { get; private set; } = 1;

    public int Count => (int)(Next - First);

    /// <summary>Gets the bytes of memory that the buffer keeps from being reused: whole chunks, not payloads.</summary>
    public long PinnedBytes { get; private set; }

    /// <summary>Gets the bytes of data in the buffer.</summary>
    public long DataBytes { get; private set; }

    /// <summary>Draws the next sequence for a write and keeps the write.</summary>
    public void Add(WriteOp op, uint session)
    {
        if (Count == _ring.Length)
        {
            var larger = new WriteOp[_ring.Length * 2];
            for (var s = First; s < Next; s++)
            {
                larger[s & (ulong)(larger.Length - 1)] = _ring[s & (ulong)(_ring.Length - 1)];
            }

            _ring = larger;
        }

        op.Tag = Tag.Of(session, Next);
        _ring[Next & (ulong)(_ring.Length - 1)] = op;
        Next++;
        DataBytes += op.Payload.Length;
        foreach (var slice in op.Payload.Slices)
        {
            if (slice.Chunk.Pins++ == 0)
            {
                PinnedBytes += slice.Chunk.Bytes.Length;
            }
        }
    }

    /// <summary>Finds a write by its sequence; null when it is retired or not drawn yet.</summary>
    public WriteOp? Find(ulong sequence) =>
        sequence >= First && sequence < Next ? _ring[sequence & (ulong)(_ring.Length - 1)] : null;

    /// <summary>Takes out the oldest write.</summary>
    public WriteOp RemoveFirst()
    {
        var at = First & (ulong)(_ring.Length - 1);
        var op = _ring[at];
        _ring[at] = null!;
        First++;
        DataBytes -= op.Payload.Length;
        foreach (var slice in op.Payload.Slices)
        {
            if (--slice.Chunk.Pins == 0)
            {
                PinnedBytes -= slice.Chunk.Bytes.Length;
            }
        }

        return op;
    }
}
