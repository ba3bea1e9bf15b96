using MirrorController.Protocol;
using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>A volume in memory, sparse by 256 KiB: for clients' tests, and to measure what serving alone costs.</summary>
/// <remarks>Requests take effect when they end, one after another, in a later step of the loop.</remarks>
public sealed class MemoryVolume(ILoop loop, string name, long sizeBytes, int blockBytes = 4096) : IVolume
{
    private const int ChunkBytes = 256 * 1024;
    private readonly Dictionary<long, byte[]> _chunks = [];
    private readonly List<Request> _pending = [];
    private readonly BufferPool _pool = new();
    private readonly HashSet<int> _generators = [];
    private Action? _run;
    private bool _isPosted;
    private int _lastGenerator;

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public long SizeBytes => sizeBytes;

    /// <inheritdoc/>
    public int BlockBytes => blockBytes;

    /// <summary>Gets how many requests have begun and not ended.</summary>
    public int Pending => _pending.Count;

    /// <summary>Gets the generators that are open.</summary>
    public IReadOnlyCollection<int> Generators => _generators;

    /// <summary>Gets the pool that reads come from.</summary>
    public BufferPool Pool => _pool;

    /// <summary>Gets or sets whether requests are held until <see cref="EndOne"/>.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Gets or sets what is told of every request that begins: kind (<c>read</c>, <c>write</c>, <c>fua</c>, <c>flush</c>), offset, length, generator.</summary>
    public Action<string, long, int, int>? Observer { get; set; }

    /// <summary>Gets or sets which error a request ends with, by kind, offset and length.</summary>
    public Func<string, long, int, VolumeError>? Fault { get; set; }

    /// <inheritdoc/>
    public int OpenGenerator()
    {
        _generators.Add(++_lastGenerator);
        return _lastGenerator;
    }

    /// <inheritdoc/>
    public void CloseGenerator(int generator) =>
        Invariant.Check(_generators.Remove(generator), "a generator is closed once");

    /// <inheritdoc/>
    public void Read(long offsetBytes, int lengthBytes, IVolumeCompletion done) =>
        Begin(new Request("read", offsetBytes, lengthBytes, null, done), 0);

    /// <inheritdoc/>
    public void Write(int generator, long offsetBytes, Payload payload, bool fua, IVolumeCompletion done)
    {
        Invariant.Check(_generators.Contains(generator), "a write names an open generator");
        payload.AddReference();
        Begin(new Request(fua ? "fua" : "write", offsetBytes, payload.Length, payload, done), generator);
    }

    /// <inheritdoc/>
    public void Flush(IVolumeCompletion done) => Begin(new Request("flush", 0, 0, null, done), 0);

    /// <summary>Ends one of the requests that are held, by its place among them.</summary>
    public void EndOne(int index = 0)
    {
        var request = _pending[index];
        _pending.RemoveAt(index);
        End(request);
    }

    private void Begin(Request request, int generator)
    {
        Invariant.Check(request.LengthBytes <= ChunkBytes, "a request has at most 256 KiB");
        Invariant.Check(request.OffsetBytes >= 0 && request.OffsetBytes <= sizeBytes - request.LengthBytes, "a request lies inside the volume");
        Observer?.Invoke(request.Kind, request.OffsetBytes, request.LengthBytes, generator);
        _pending.Add(request);
        if (!IsHeld && !_isPosted)
        {
            _isPosted = true;
            loop.Post(_run ??= EndAll);
        }
    }

    private void EndAll()
    {
        _isPosted = false;
        // What begins meanwhile waits for the next step.
        var count = _pending.Count;
        for (var i = 0; i < count; i++)
        {
            End(_pending[i]);
        }

        _pending.RemoveRange(0, count);
    }

    private void End(in Request request)
    {
        var error = Fault?.Invoke(request.Kind, request.OffsetBytes, request.LengthBytes) ?? VolumeError.None;
        if (request.Payload is { } written)
        {
            if (error == VolumeError.None)
            {
                Store(request.OffsetBytes, written);
            }

            written.Release();
            request.Done.Completed(error, null);
        }
        else if (request.Kind == "read" && error == VolumeError.None)
        {
            var slice = _pool.Rent(request.LengthBytes);
            Load(request.OffsetBytes, slice.Span);
            var data = Payload.Take(slice);
            request.Done.Completed(VolumeError.None, data);
            data.Release();
        }
        else
        {
            request.Done.Completed(error, null);
        }
    }

    private void Store(long offset, Payload payload)
    {
        foreach (var slice in payload.Slices)
        {
            var bytes = slice.Span;
            while (!bytes.IsEmpty)
            {
                var (index, at) = Math.DivRem(offset, ChunkBytes);
                if (!_chunks.TryGetValue(index, out var chunk))
                {
                    chunk = new byte[ChunkBytes];
                    _chunks.Add(index, chunk);
                }

                var n = (int)Math.Min(ChunkBytes - at, bytes.Length);
                bytes[..n].CopyTo(chunk.AsSpan((int)at));
                bytes = bytes[n..];
                offset += n;
            }
        }
    }

    private void Load(long offset, Span<byte> into)
    {
        while (!into.IsEmpty)
        {
            var (index, at) = Math.DivRem(offset, ChunkBytes);
            var n = (int)Math.Min(ChunkBytes - at, into.Length);
            if (_chunks.TryGetValue(index, out var chunk))
            {
                chunk.AsSpan((int)at, n).CopyTo(into);
            }
            else
            {
                into[..n].Clear();
            }

            into = into[n..];
            offset += n;
        }
    }

    private readonly record struct Request(string Kind, long OffsetBytes, int LengthBytes, Payload? Payload, IVolumeCompletion Done);
}
