using MirrorController.Protocol.Views;

namespace MirrorController.Protocol.Wire;

/// <summary>The body of CREATE: what a member of a new volume shall be (section 10a).</summary>
public sealed record CreateRequest
{
    public required VolumeId Volume { get; init; }

    public required string Name { get; init; }

    public required ushort Member { get; init; }

    public required int BlockBytes { get; init; }

    public required long SizeBytes { get; init; }

    /// <summary>Gets the largest size the volume may grow to; 0: the board's default.</summary>
    public long SizeMaxBytes { get; init; }

    /// <summary>Gets whether the board only checks that it could.</summary>
    public bool CheckOnly { get; init; }

    /// <summary>Gets whether foreign content of chip and disk may be overwritten; a volume of ours never is.</summary>
    public bool Wipe { get; init; }

    public required View View { get; init; }

    /// <summary>Writes the body.</summary>
    public void WriteTo(WireWriter writer)
    {
        Span<byte> id = stackalloc byte[VolumeId.Size];
        Volume.WriteTo(id);
        Span<byte> view = stackalloc byte[View.Size];
        View.WriteTo(view);
        writer.Bytes(id).Text(Name).U16(Member).I32(BlockBytes).I64(SizeBytes).I64(SizeMaxBytes)
            .U8(CheckOnly ? (byte)1 : (byte)0).U8(Wipe ? (byte)1 : (byte)0).Bytes(view);
    }

    /// <summary>Reads a body.</summary>
    /// <returns>Null if it is malformed or out of bounds; <paramref name="wrong"/> then is one sentence.</returns>
    public static CreateRequest? Read(WireReader reader, out string wrong)
    {
        var id = VolumeId.Read(reader.Bytes(VolumeId.Size));
        var name = reader.Text();
        var member = reader.U16();
        var block = reader.I32();
        var size = reader.I64();
        var sizeMax = reader.I64();
        var checkOnly = reader.U8() == 1;
        var wipe = reader.U8() == 1;
        var viewBytes = reader.Bytes(View.Size);
        wrong = "the CREATE is malformed";
        if (!reader.IsWhole || id.IsNone)
        {
            return null;
        }

        if (!View.TryRead(viewBytes, out var view, out var fault))
        {
            wrong = fault;
            return null;
        }

        if (!VolumeName.IsValid(name))
        {
            wrong = "a volume's name has 1 to 32 bytes: letters, digits, '-', '_' and '.'";
            return null;
        }

        if (block is not (512 or 1024 or 2048 or 4096))
        {
            wrong = $"a block of {block} bytes is not served; 512, 1024, 2048 and 4096 are";
            return null;
        }

        if (size <= 0 || size % block != 0 || (sizeMax != 0 && (sizeMax < size || sizeMax % block != 0)))
        {
            wrong = $"a size of {size} bytes is not a positive multiple of the block of {block} bytes within the largest size";
            return null;
        }

        if (!view.Members.Contains(member) || view.SizeBytes != size)
        {
            wrong = "the first view does not name this member and size";
            return null;
        }

        wrong = string.Empty;
        return new CreateRequest
        {
            Volume = id,
            Name = name,
            Member = member,
            BlockBytes = block,
            SizeBytes = size,
            SizeMaxBytes = sizeMax,
            CheckOnly = checkOnly,
            Wipe = wipe,
            View = view,
        };
    }
}
