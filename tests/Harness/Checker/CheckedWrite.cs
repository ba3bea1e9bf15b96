using System.Buffers.Binary;

namespace MirrorController.Tests.Harness.Checker;

/// <summary>One write of an application, as the checker remembers it. Moments are the checker's own counter: no two events share one.</summary>
public sealed class CheckedWrite
{
    /// <summary>The grain of a write: what shares a cell is never told apart.</summary>
    public const int CellBytes = 64;

    private const int WordBits = 24;

    internal CheckedWrite(CheckedSession? session, ulong version, long offsetBytes, int lengthBytes, bool fua, long issued)
    {
        Session = session;
        Version = version;
        OffsetBytes = offsetBytes;
        LengthBytes = lengthBytes;
        Fua = fua;
        Issued = issued;
    }

    /// <summary>Gets the session it was issued to; null for the zeroes of a new volume.</summary>
    public CheckedSession? Session { get; }

    /// <summary>Gets the number that every word of its data carries; 0 for the zeroes of a new volume.</summary>
    public ulong Version { get; }

    public long OffsetBytes { get; }

    public int LengthBytes { get; }

    public bool Fua { get; }

    /// <summary>Gets the moment of its issue.</summary>
    public long Issued { get; }

    /// <summary>Gets the moment of its acknowledgement; 0 while there is none.</summary>
    public long Acknowledged { get; internal set; }

    /// <summary>Gets whether it ended with an error: it may have happened or not.</summary>
    public bool HasFailed { get; internal set; }

    /// <summary>Gets the moment at which the volume had taken it; 0 before. A part of a longer request is acknowledged later, with the whole.</summary>
    public long Taken { get; internal set; }

    /// <summary>Gets its place among the writes of its session: overlapping ones are taken in the order of their tags (W1).</summary>
    internal long Order => Taken == 0 ? long.MaxValue : Taken;

    internal bool IsProtected => Acknowledged > 0 && (Fua || IsKept || Acknowledged < Session!.ProtectedBefore);

    /// <summary>Gets or sets whether it is promised for another reason than a flush.</summary>
    internal bool IsKept { get; set; }

    /// <summary>Makes its data: every 8 bytes name the version and the place.</summary>
    public byte[] MakeData()
    {
        var data = new byte[LengthBytes];
        for (var at = 0; at < LengthBytes; at += 8)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(at), WordAt(Version, OffsetBytes + at));
        }

        return data;
    }

    public override string ToString()
    {
        if (Version == 0)
        {
            return "version 0 (the zeroes of a new volume)";
        }

        var end = Acknowledged > 0 ? $"acknowledged at {Acknowledged}" : HasFailed ? "failed" : "never answered";
        var kept = IsProtected ? (Fua ? ", FUA" : IsKept ? ", a board had it all the time" : ", flushed") : string.Empty;
        return $"version {Version} of {Session!.Name} (bytes {OffsetBytes}+{LengthBytes}, issued at {Issued}, {end}{kept})";
    }

    /// <summary>Reads the version that a cell holds; null when it holds no write's data.</summary>
    internal static ulong? VersionIn(ReadOnlySpan<byte> cell, long offsetBytes)
    {
        var version = BinaryPrimitives.ReadUInt64LittleEndian(cell) >> WordBits;
        for (var at = 0; at < cell.Length; at += 8)
        {
            if (BinaryPrimitives.ReadUInt64LittleEndian(cell[at..]) != WordAt(version, offsetBytes + at))
            {
                return null;
            }
        }

        return version;
    }

    private static ulong WordAt(ulong version, long offsetBytes) =>
        version == 0 ? 0 : (version << WordBits) | (ulong)(offsetBytes / 8);
}
