using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Seams;

/// <summary>The data of one write or read: a few slices in order, with one count of users for all of them.</summary>
/// <remarks>Filled once, then only read. The CRC is computed at most once, however many boards get the data.</remarks>
public sealed class Payload
{
    private Slice[] _slices = new Slice[2];
    private int _count;
    private int _references = 1;
    private uint _crc;
    private bool _hasCrc;

    /// <summary>Gets the length in bytes.</summary>
    public int Length { get; private set; }

    /// <summary>Gets the slices in order.</summary>
    public ReadOnlySpan<Slice> Slices => _slices.AsSpan(0, _count);

    /// <summary>Makes a payload from one slice and takes over the caller's reference of it.</summary>
    public static Payload Take(Slice slice)
    {
        var payload = new Payload();
        payload.AppendOwned(slice);
        return payload;
    }

    /// <summary>Appends bytes lent by a connection: takes a reference of its own, joins what adjoins in memory.</summary>
    public void Append(Slice slice)
    {
        slice.AddReference();
        AppendOwned(slice);
    }

    /// <summary>Adds a user.</summary>
    public void AddReference() => _references++;

    /// <summary>Removes a user; with the last one the slices are released.</summary>
    public void Release()
    {
        Invariant.Check(_references > 0, "a payload is released at most as often as it is used");
        if (--_references > 0)
        {
            return;
        }

        foreach (var slice in Slices)
        {
            slice.Release();
        }

        _count = 0;
        Length = 0;
    }

    /// <summary>Gets the CRC32C of the data.</summary>
    public uint Crc
    {
        get
        {
            if (!_hasCrc)
            {
                var crc = Crc32C.Start;
                foreach (var slice in Slices)
                {
                    crc = Crc32C.Append(crc, slice.Span);
                }

                _crc = Crc32C.Finish(crc);
                _hasCrc = true;
            }

            return _crc;
        }
    }

    /// <summary>Copies a part of the data, for the few places that need it in one piece.</summary>
    public void CopyTo(int offset, Span<byte> target)
    {
        foreach (var slice in Slices)
        {
            if (target.IsEmpty)
            {
                return;
            }

            if (offset >= slice.Length)
            {
                offset -= slice.Length;
                continue;
            }

            var n = Math.Min(slice.Length - offset, target.Length);
            slice.Span.Slice(offset, n).CopyTo(target);
            target = target[n..];
            offset = 0;
        }
    }

    /// <summary>Makes a payload of a part of this one, with references of its own.</summary>
    public Payload Part(int offset, int length)
    {
        if (offset < 0 || length < 0 || offset > Length - length)
        {
            throw new ArgumentOutOfRangeException(nameof(length));
        }

        var part = new Payload();
        foreach (var slice in Slices)
        {
            if (length == 0)
            {
                break;
            }

            if (offset >= slice.Length)
            {
                offset -= slice.Length;
                continue;
            }

            var n = Math.Min(slice.Length - offset, length);
            part.Append(slice.Part(offset, n));
            length -= n;
            offset = 0;
        }

        return part;
    }

    private void AppendOwned(Slice slice)
    {
        Invariant.Check(!_hasCrc, "a payload does not grow after its CRC is known");
        Length += slice.Length;
        if (_count > 0)
        {
            var last = _slices[_count - 1];
            if (ReferenceEquals(last.Chunk, slice.Chunk) && last.Offset + last.Length == slice.Offset)
            {
                _slices[_count - 1] = last with { Length = last.Length + slice.Length };
                slice.Release();
                return;
            }
        }

        if (_count == _slices.Length)
        {
            System.Array.Resize(ref _slices, _count * 2);
        }

        _slices[_count++] = slice;
    }
}
