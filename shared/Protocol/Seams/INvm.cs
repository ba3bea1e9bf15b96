namespace MirrorController.Protocol.Seams;

/// <summary>A byte-addressed nonvolatile memory chip: FRAM, EEPROM, or an emulation of one.</summary>
/// <remarks>
/// One operation at a time: who calls waits for the end of the last one. A write that has ended well survives any
/// power cut. A write cut by power leaves a prefix of its bytes stored; on a chip with pages the page being written is
/// undefined. A failed write leaves undefined bytes in its range, and nowhere else. A chip without timing ends its
/// operations within the loop's turn.
/// </remarks>
public interface INvm
{
    /// <summary>Gets the kind for messages: <c>fram</c> or <c>eeprom</c>, with the chip's name.</summary>
    string Kind { get; }

    /// <summary>Gets the size in bytes.</summary>
    int SizeBytes { get; }

    /// <summary>Gets the size of a page that a power cut may destroy as a whole: 1 for FRAM.</summary>
    int PageBytes { get; }

    /// <summary>Reads <paramref name="into"/>.Length bytes from an address. A range beyond the end is misuse: it would roll over.</summary>
    void Read(int address, Memory<byte> into, ICompletion done);

    /// <summary>Writes bytes at an address; the bytes must stay unchanged until the end. A range beyond the end is misuse.</summary>
    void Write(int address, ReadOnlyMemory<byte> data, ICompletion done);
}
