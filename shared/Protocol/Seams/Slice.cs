using System.Runtime.CompilerServices;

namespace MirrorController.Protocol.Seams;

/// <summary>A pinned piece of memory with a count of its users. Only the loop's thread changes the count.</summary>
public sealed class Chunk
{
    /// <summary>The size of a pooled chunk in bytes.</summary>
    public const int Size = 256 * 1024;

    private readonly BufferPool? _pool;

    internal Chunk(BufferPool? pool, byte[] bytes)
    {
        _pool = pool;
        Bytes = bytes;
    }

    /// <summary>Gets the memory.</summary>
    public byte[] Bytes { get; }

    /// <summary>Gets how many users hold this chunk.</summary>
    public int References { get; internal set; }

    /// <summary>Gets or sets how many writes of a replay buffer lie in this chunk: the buffer's own count, to know what it pins.</summary>
    internal int Pins { get; set; }

    /// <summary>Adds a user.</summary>
    public void AddReference() => References++;

    /// <summary>Removes a user; with the last one the chunk goes back to its pool.</summary>
    public void Release()
    {
        Invariant.Check(References > 0, "a chunk is released at most as often as it is used");
        if (--References == 0)
        {
            _pool?.Return(this);
        }
    }
}

/// <summary>A range of a <see cref="Chunk"/>.</summary>
public readonly record struct Slice(Chunk Chunk, int Offset, int Length)
{
    /// <summary>Gets the bytes.</summary>
    public Span<byte> Span
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Chunk.Bytes.AsSpan(Offset, Length);
    }

    /// <summary>Gets the bytes as memory, for interfaces that need it.</summary>
    public Memory<byte> Memory => Chunk.Bytes.AsMemory(Offset, Length);

    /// <summary>Gets a part of this slice, under the same reference.</summary>
    public Slice Part(int offset, int length)
    {
        if ((uint)offset > (uint)Length || (uint)length > (uint)(Length - offset))
        {
            throw new ArgumentOutOfRangeException(nameof(length));
        }

        return new Slice(Chunk, Offset + offset, length);
    }

    /// <summary>Adds a user of the chunk.</summary>
    public void AddReference() => Chunk.AddReference();

    /// <summary>Removes a user of the chunk.</summary>
    public void Release() => Chunk.Release();

    /// <summary>Makes a slice of its own from bytes, not pooled; the caller holds its one reference.</summary>
    public static Slice Copy(ReadOnlySpan<byte> bytes)
    {
        // Pinned like every chunk: a send takes its address.
        var chunk = new Chunk(null, GC.AllocateUninitializedArray<byte>(bytes.Length, pinned: true)) { References = 1 };
        bytes.CopyTo(chunk.Bytes);
        return new Slice(chunk, 0, bytes.Length);
    }
}
