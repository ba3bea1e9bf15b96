using System.Buffers.Binary;
using System.Text;

namespace MirrorController.Protocol.Wire;

/// <summary>Reads a frame's body field by field. A body that is too short makes every further read zero and <see cref="IsBad"/> true.</summary>
public sealed class WireReader(byte[] bytes)
{
    private int _at;

    /// <summary>Gets whether more was read than there was.</summary>
    public bool IsBad { get; private set; }

    /// <summary>Gets whether all was read and nothing is missing: what a decoder asks at its end.</summary>
    public bool IsWhole => !IsBad && _at == bytes.Length;

    /// <summary>Gets the bytes not read yet.</summary>
    public int Left => bytes.Length - _at;

    /// <summary>Reads from a payload, in one piece.</summary>
    public static WireReader From(Seams.Payload? payload)
    {
        var bytes = new byte[payload?.Length ?? 0];
        payload?.CopyTo(0, bytes);
        return new WireReader(bytes);
    }

    public byte U8() => Next(1) is { IsEmpty: false } s ? s[0] : (byte)0;

    public ushort U16() => Next(2) is { IsEmpty: false } s ? BinaryPrimitives.ReadUInt16LittleEndian(s) : (ushort)0;

    public uint U32() => Next(4) is { IsEmpty: false } s ? BinaryPrimitives.ReadUInt32LittleEndian(s) : 0;

    public int I32() => (int)U32();

    public ulong U64() => Next(8) is { IsEmpty: false } s ? BinaryPrimitives.ReadUInt64LittleEndian(s) : 0;

    public long I64() => (long)U64();

    public byte[] Bytes(int count) => count >= 0 && Next(count) is { IsEmpty: false } s ? s.ToArray() : new byte[Math.Clamp(count, 0, 64)];

    /// <summary>Reads a text written by <see cref="WireWriter.Text"/>; control characters become question marks, for it may come to stand in a log.</summary>
    public string Text()
    {
        var length = U16();
        var text = length == 0 ? string.Empty : Encoding.UTF8.GetString(Next(length));
        return text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '?' : c)) : text;
    }

    private ReadOnlySpan<byte> Next(int count)
    {
        if (IsBad || count > Left)
        {
            IsBad = true;
            return default;
        }

        var span = bytes.AsSpan(_at, count);
        _at += count;
        return span;
    }
}
