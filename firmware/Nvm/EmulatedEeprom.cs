using System.Diagnostics.CodeAnalysis;
using MirrorController.Protocol.Seams;

namespace MirrorController.Firmware.Nvm;

/// <summary>An emulated 24LC256: 32 KiB, pages of 64 bytes, 400 kHz, 5 ms a write; a write beyond its page goes on at the page's start.</summary>
public sealed class EmulatedEeprom : EmulatedMemory
{
    private EmulatedEeprom(EmulatedFiles files, int busAddress, bool realTiming)
        : base(files, busAddress, realTiming)
    {
    }

    /// <inheritdoc/>
    protected override int PageBytes => At24Eeprom.Lc256PageBytes;

    /// <inheritdoc/>
    protected override int ClockHz => 400_000;

    /// <inheritdoc/>
    protected override int WriteCycleMs => 5;

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
        [NotNullWhen(true)] out EmulatedEeprom? device,
        [NotNullWhen(false)] out string? fault)
    {
        device = TryOpen(path, At24Eeprom.Lc256Bytes, At24Eeprom.Lc256PageBytes, 0xFF, seed, log, out var files, out fault) ? new EmulatedEeprom(files, busAddress, realTiming) : null;
        return device is not null;
    }
}
