namespace MirrorController.Protocol.Nvm;

/// <summary>Where the parts of a chip lie: the board's superblock pair, a pair for every volume, the ring log.</summary>
/// <remarks>
/// Fixed when the chip is formatted, by its size, its page and the number of volumes that may come to be. Every part starts on a
/// page of its own, so that a page lost with the power never takes two live generations with it.
/// <code>
///   0                     board superblock, copy 0, then copy 1
///   BoardPlace x 2        volume superblock 0, copy 0, then copy 1; volume 1; ...
///   RingOffset            ring log: 8 segments of SegmentBytes each
/// </code>
/// </remarks>
public sealed class NvmLayout
{
    /// <summary>The parts of the ring: each begins with a checkpoint, the head moves by whole parts.</summary>
    public const int Segments = 8;

    /// <summary>The most volumes a chip can be divided for.</summary>
    public const int VolumesMax = 8;

    /// <summary>The smallest segment of use.</summary>
    public const int SegmentBytesMin = 768;

    private const int Grain = 64;

    private NvmLayout(int chipBytes, int pageBytes, int volumesMax)
    {
        ChipBytes = chipBytes;
        PageBytes = pageBytes;
        VolumeCount = volumesMax;
        BoardPlaceBytes = RoundUp(BoardSuperblock.Size, pageBytes);
        VolumePlaceBytes = RoundUp(VolumeSuperblock.Size, pageBytes);
        RingOffset = (2 * BoardPlaceBytes) + (2 * volumesMax * VolumePlaceBytes);
        SegmentBytes = RoundDown((chipBytes - RingOffset) / Segments, Math.Max(Grain, pageBytes));
    }

    /// <summary>Gets the size of the chip.</summary>
    public int ChipBytes { get; }

    /// <summary>Gets the chip's page; 1 for FRAM.</summary>
    public int PageBytes { get; }

    /// <summary>Gets the number of volumes the chip was divided for.</summary>
    public int VolumeCount { get; }

    /// <summary>Gets the room of one copy of the board's superblock.</summary>
    public int BoardPlaceBytes { get; }

    /// <summary>Gets the room of one copy of a volume's superblock.</summary>
    public int VolumePlaceBytes { get; }

    /// <summary>Gets where the ring begins.</summary>
    public int RingOffset { get; }

    /// <summary>Gets an eighth of the ring.</summary>
    public int SegmentBytes { get; }

    /// <summary>Gets the length of the ring.</summary>
    public int RingBytes => SegmentBytes * Segments;

    /// <summary>Gets the part of the ring that may be live for one volume: its share of half of the ring.</summary>
    public int ShareBytes => RingBytes / 2 / VolumeCount;

    /// <summary>Makes the layout of a chip.</summary>
    /// <param name="chipBytes">The chip's size.</param>
    /// <param name="pageBytes">The chip's page; 1 for FRAM.</param>
    /// <param name="volumesMax">The number of volumes that may come to be.</param>
    /// <param name="layout">The layout, if the chip is large enough.</param>
    /// <param name="fault">Else one sentence.</param>
    public static bool TryMake(
        int chipBytes,
        int pageBytes,
        int volumesMax,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out NvmLayout? layout,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out string? fault)
    {
        layout = null;
        if (volumesMax is < 1 or > VolumesMax)
        {
            fault = $"A memory chip can be divided for 1 to {VolumesMax} volumes, not for {volumesMax}.";
            return false;
        }

        var made = new NvmLayout(chipBytes, pageBytes, volumesMax);
        if (made.SegmentBytes < SegmentBytesMin)
        {
            fault = $"A memory chip of {chipBytes} bytes is too small for {volumesMax} volumes.";
            return false;
        }

        layout = made;
        fault = null;
        return true;
    }

    /// <summary>Gets the address of a copy of the board's superblock.</summary>
    public int BoardAddress(int copy) => copy * BoardPlaceBytes;

    /// <summary>Gets the address of a copy of a volume's superblock.</summary>
    public int VolumeAddress(int slot, int copy) => (2 * BoardPlaceBytes) + (((2 * slot) + copy) * VolumePlaceBytes);

    /// <summary>Gets the address of a log position.</summary>
    public int RingAddress(long position) => RingOffset + (int)(position % RingBytes);

    /// <summary>Rounds a length up to whole pages.</summary>
    public int WholePages(int length) => RoundUp(length, PageBytes);

    private static int RoundUp(int value, int unit) => (value + unit - 1) / unit * unit;

    private static int RoundDown(int value, int unit) => value / unit * unit;
}
