using System.Buffers.Binary;
using System.Text;

namespace MirrorController.Protocol.Wire;

/// <summary>Writes a frame's body field by field, little-endian; for frames that are not on the hot path.</summary>
public sealed class WireWriter
{
    private byte[] _bytes = new byte[256];
    private int _length;

    /// <summary>Gets what was written.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    public WireWriter U8(byte value)
    {
        Next(1)[0] = value;
        return this;
    }

    public WireWriter U16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(Next(2), value);
        return this;
    }

    public WireWriter U32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(Next(4), value);
        return this;
    }

    public WireWriter I32(int value) => U32((uint)value);

    public WireWriter U64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(Next(8), value);
        return this;
    }

    public WireWriter I64(long value) => U64((ulong)value);

    public WireWriter Bytes(ReadOnlySpan<byte> value)
    {
        value.CopyTo(Next(value.Length));
        return this;
    }

    /// <summary>Writes a text: its length in bytes (16 bits), then UTF-8.</summary>
    public WireWriter Text(string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        var n = Math.Min(bytes.Length, 1024);
        U16((ushort)n);
        return Bytes(bytes.AsSpan(0, n));
    }

    private Span<byte> Next(int count)
    {
        if (_length + count > _bytes.Length)
        {
            System.Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
        }

        var span = _bytes.AsSpan(_length, count);
        _length += count;
        return span;
    }
}
