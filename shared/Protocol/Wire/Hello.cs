using MirrorController.Protocol.Views;

namespace MirrorController.Protocol.Wire;

/// <summary>What the connecting side is.</summary>
public enum HelloRole : byte
{
    /// <summary>A coordinator or authority of a volume: it may attach.</summary>
    Coordinator = 1,

    /// <summary>Somebody who looks: it never attaches and closes nobody's connection.</summary>
    Status = 2,

    /// <summary>Who creates a volume's member (section 10a).</summary>
    Creator = 3,

    /// <summary>Another board, for copies.</summary>
    Peer = 4,
}

/// <summary>The body of HELLO: who connects, in which versions, for what.</summary>
public sealed record Hello
{
    /// <summary>The version of this wire format.</summary>
    public const ushort WireVersion = 1;

    /// <summary>The version of the formats on chip and disk.</summary>
    public const ushort MediaVersion = 1;

    /// <summary>The size of a nonce in bytes.</summary>
    public const int NonceSize = 16;

    public required HelloRole Role { get; init; }

    public ushort OldestWireVersion { get; init; } = WireVersion;

    public ushort NewestWireVersion { get; init; } = WireVersion;

    /// <summary>Gets the volume; none where it is not known yet.</summary>
    public VolumeId Volume { get; init; }

    /// <summary>Gets the volume's name.</summary>
    public string VolumeName { get; init; } = string.Empty;

    /// <summary>Gets the member the caller takes the board for; 0xFFFF where it does not know.</summary>
    public ushort Member { get; init; } = 0xFFFF;

    /// <summary>Gets the caller's session, for messages; none before it has one. What judges it is ATTACH, before it closes anybody's connection.</summary>
    public SessionId Session { get; init; }

    /// <summary>Gets the boot id the caller knows; 0 for none.</summary>
    public ulong BootId { get; init; }

    /// <summary>Gets the caller's nonce.</summary>
    public required byte[] Nonce { get; init; }

    /// <summary>Writes the body.</summary>
    public void WriteTo(WireWriter writer)
    {
        Span<byte> id = stackalloc byte[VolumeId.Size];
        Volume.WriteTo(id);
        writer.U16(OldestWireVersion).U16(NewestWireVersion).U8((byte)Role).U8(0).U16(Member)
            .Bytes(id).U32(Session.Number).U64(Session.Id).U64(BootId).Bytes(Nonce).Text(VolumeName);
    }

    /// <summary>Reads a body.</summary>
    /// <returns>Null if it is not a HELLO; <paramref name="wrong"/> then is one sentence.</returns>
    public static Hello? Read(WireReader reader, out string wrong)
    {
        var oldest = reader.U16();
        var newest = reader.U16();
        var role = (HelloRole)reader.U8();
        var reserved = reader.U8();
        if (!reader.IsBad && (oldest > WireVersion || newest < WireVersion))
        {
            wrong = $"the caller speaks wire versions {oldest} to {newest}, this board speaks version {WireVersion}";
            return null;
        }

        var member = reader.U16();
        var volume = reader.Bytes(VolumeId.Size);
        var number = reader.U32();
        var id = reader.U64();
        var boot = reader.U64();
        var nonce = reader.Bytes(NonceSize);
        var name = reader.Text();
        if (!reader.IsWhole || reserved != 0 || number > SessionId.MaxNumber || role is < HelloRole.Coordinator or > HelloRole.Peer)
        {
            wrong = "the HELLO is malformed";
            return null;
        }

        wrong = string.Empty;
        return new Hello
        {
            Role = role,
            OldestWireVersion = oldest,
            NewestWireVersion = newest,
            Member = member,
            Volume = VolumeId.Read(volume),
            VolumeName = name,
            Session = new SessionId(number, id),
            BootId = boot,
            Nonce = nonce,
        };
    }
}
