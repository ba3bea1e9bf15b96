using System.Diagnostics.CodeAnalysis;
using MirrorController.Protocol.Seams;

namespace MirrorController.Firmware.Nvm;

/// <summary>An emulated MB85RC256V: 32 KiB, 1 MHz; a write beyond the end goes on at address 0.</summary>
public sealed class EmulatedFram : EmulatedMemory
{
    private EmulatedFram(EmulatedFiles files, int busAddress, bool realTiming)
        : base(files, busAddress, realTiming)
    {
    }

    /// <inheritdoc/>
    protected override int PageBytes => 1;

    /// <inheritdoc/>
    protected override int ClockHz => 1_000_000;

    /// <inheritdoc/>
    protected override int WriteCycleMs => 0;

    /// <summary>Opens the chip's file, or makes it, blank.</summary>
    /// <param name="path">The file; a side file beside it ends in <c>.running</c>.</param>
    /// <param name="busAddress">The address on the bus.</param>
    /// <param name="realTiming">Whether transfers take as long as on a real bus.</param>
    /// <param name="seed">Decides where a transaction stopped that a power cut ended.</param>
    /// <param name="log">Is told of such a transaction, with the seed.</param>
    /// <param name="device">The device.</param>
    /// <param name="fault">Else one sentence: another process has the file, it is no chip's, it cannot be made.</param>
    public static bool TryOpen(
        string path,
        int busAddress,
        bool realTiming,
        int seed,
        INodeLog log,
        [NotNullWhen(true)] out EmulatedFram? device,
        [NotNullWhen(false)] out string? fault)
    {
        device = TryOpen(path, Mb85rcFram.Mb85rc256vBytes, 1, 0, seed, log, out var files, out fault) ? new EmulatedFram(files, busAddress, realTiming) : null;
        return device is not null;
    }
}
