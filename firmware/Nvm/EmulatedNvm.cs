using System.Diagnostics.CodeAnalysis;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

namespace MirrorController.Firmware.Nvm;

/// <summary>Opens an emulated chip together with the driver of the real one.</summary>
public static class EmulatedNvm
{
    private const int BusAddress = 0x50;

    /// <summary>Opens a chip in a file.</summary>
    /// <param name="loop">The board's loop.</param>
    /// <param name="isEeprom">24LC256 instead of MB85RC256V.</param>
    /// <param name="path">The file.</param>
    /// <param name="realTiming">Whether it takes its time: then on a worker; else every transfer ends within the turn.</param>
    /// <param name="seed">Decides where a transaction stopped that a power cut ended.</param>
    /// <param name="log">Is told of such a transaction.</param>
    /// <param name="chip">The chip; dispose it to close the file.</param>
    /// <param name="fault">Else one sentence.</param>
    public static bool TryOpen(
        ILoop loop,
        bool isEeprom,
        string path,
        bool realTiming,
        int seed,
        INodeLog log,
        [NotNullWhen(true)] out I2cNvm? chip,
        [NotNullWhen(false)] out string? fault)
    {
        chip = null;
        if (isEeprom)
        {
            if (EmulatedEeprom.TryOpen(path, BusAddress, realTiming, seed, log, out var eeprom, out fault))
            {
                chip = new At24Eeprom(loop, eeprom, realTiming ? new Worker(loop, "nvm") : null);
            }
        }
        else if (EmulatedFram.TryOpen(path, BusAddress, realTiming, seed, log, out var fram, out fault))
        {
            chip = new Mb85rcFram(loop, fram, realTiming ? new Worker(loop, "nvm") : null);
        }

        return chip is not null;
    }
}
