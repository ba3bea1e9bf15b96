namespace MirrorController.Protocol.Seams;

/// <summary>Pinned 256 KiB chunks, reused; small slices share a chunk. One pool a loop, used by its thread only.</summary>
/// <remarks>A payload is received into a chunk, sent from it and written to disk from it: never copied in user space.</remarks>
public sealed class BufferPool
{
    private const int FreeMax = 256;
    private readonly Stack<Chunk> _free = new();
    private Chunk? _shared;
    private int _sharedUsed;

    /// <summary>Gets the number of chunks in use, for bounds and metrics.</summary>
    public int ChunksInUse { get; private set; }

    /// <summary>Takes a whole chunk; the caller holds its one reference.</summary>
    public Chunk RentChunk()
    {
        ChunksInUse++;
        if (!_free.TryPop(out var chunk))
        {
            chunk = new Chunk(this, GC.AllocateUninitializedArray<byte>(Chunk.Size, pinned: true));
        }

        chunk.References = 1;
        return chunk;
    }

    /// <summary>Takes a slice of at most <see cref="Chunk.Size"/> bytes, its content undefined; the caller holds one reference.</summary>
    public Slice Rent(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Chunk.Size);
        if (length > Chunk.Size / 2)
        {
            return new Slice(RentChunk(), 0, length);
        }

        if (_shared is null || _sharedUsed + length > Chunk.Size)
        {
            _shared?.Release();
            _shared = RentChunk();
            _sharedUsed = 0;
        }

        var slice = new Slice(_shared, _sharedUsed, length);
        slice.AddReference();
        // 64-byte steps: two writers never share a cache line.
        _sharedUsed += (length + 63) & ~63;
        return slice;
    }

    internal void Return(Chunk chunk)
    {
        ChunksInUse--;
        if (_free.Count < FreeMax)
        {
            _free.Push(chunk);
        }
    }
}
