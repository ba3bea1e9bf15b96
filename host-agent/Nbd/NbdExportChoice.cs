using System.Buffers.Binary;
using System.Text;

namespace MirrorController.HostAgent.Nbd;

/// <summary>The data of the options INFO and GO: which export, and what the client likes to know of it.</summary>
/// <remarks>
/// <code>
/// offset size field
///      0    4 length n of the name
///      4    n name
///    4+n    2 number m of information requests
///    6+n   2m information requests
/// </code>
/// </remarks>
internal readonly record struct NbdExportChoice(string Name, bool WantsName, bool WantsDescription, bool WantsBlockSize)
{
    private const int NameAt = 4;
    private const int FixedBytes = 6;

    /// <summary>Reads the data; false when its lengths do not agree.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out NbdExportChoice choice)
    {
        choice = default;
        if (bytes.Length < FixedBytes)
        {
            return false;
        }

        var nameBytes = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        if (nameBytes > bytes.Length - FixedBytes)
        {
            return false;
        }

        var name = Encoding.UTF8.GetString(bytes.Slice(NameAt, (int)nameBytes));
        var requests = bytes[(NameAt + (int)nameBytes)..];
        var count = BinaryPrimitives.ReadUInt16BigEndian(requests);
        requests = requests[2..];
        if (requests.Length != count * 2)
        {
            return false;
        }

        choice = new NbdExportChoice(name, false, false, false);
        for (; !requests.IsEmpty; requests = requests[2..])
        {
            // What is not known here is ignored, as the specification asks; facts about the export always go.
            choice = (NbdInfo)BinaryPrimitives.ReadUInt16BigEndian(requests) switch
            {
                NbdInfo.Name => choice with { WantsName = true },
                NbdInfo.Description => choice with { WantsDescription = true },
                NbdInfo.BlockSize => choice with { WantsBlockSize = true },
                _ => choice,
            };
        }

        return true;
    }
}
