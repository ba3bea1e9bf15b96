using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime;

/// <summary>The slices that a connection has queued, in order, each with a reference; what adjoins in memory is joined.</summary>
internal sealed class SendQueue
{
    private Slice[] _slices = new Slice[16];
    private int _head;

    /// <summary>Gets the number of slices.</summary>
    public int Count { get; private set; }

    /// <summary>Gets the bytes in all slices.</summary>
    public long Bytes { get; private set; }

    public Slice this[int index] => _slices[(_head + index) & (_slices.Length - 1)];

    /// <summary>Appends a slice and takes a reference where it needs one of its own.</summary>
    public void Add(Slice slice)
    {
        if (slice.Length == 0)
        {
            return;
        }

        Bytes += slice.Length;
        if (Count > 0)
        {
            ref var last = ref _slices[(_head + Count - 1) & (_slices.Length - 1)];
            if (ReferenceEquals(last.Chunk, slice.Chunk) && last.Offset + last.Length == slice.Offset)
            {
                last = last with { Length = last.Length + slice.Length };
                return;
            }
        }

        if (Count == _slices.Length)
        {
            Grow();
        }

        slice.AddReference();
        _slices[(_head + Count++) & (_slices.Length - 1)] = slice;
    }

    /// <summary>Removes bytes that the system has taken.</summary>
    public void Consume(int bytes)
    {
        Bytes -= bytes;
        while (bytes > 0)
        {
            ref var first = ref _slices[_head];
            if (bytes < first.Length)
            {
                first = first.Part(bytes, first.Length - bytes);
                return;
            }

            bytes -= first.Length;
            RemoveFirst();
        }
    }

    /// <summary>Drops everything.</summary>
    public void Clear()
    {
        while (Count > 0)
        {
            RemoveFirst();
        }

        Bytes = 0;
    }

    private void RemoveFirst()
    {
        var first = _slices[_head];
        _slices[_head] = default;
        _head = (_head + 1) & (_slices.Length - 1);
        Count--;
        first.Release();
    }

    private void Grow()
    {
        var larger = new Slice[_slices.Length * 2];
        for (var i = 0; i < Count; i++)
        {
            larger[i] = this[i];
        }

        _slices = larger;
        _head = 0;
    }
}
