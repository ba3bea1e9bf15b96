using MirrorController.Runtime.Configuration;

namespace MirrorController.Firmware.Configuration;

/// <summary>The kinds of memory chip.</summary>
internal enum NvmKind
{
    /// <summary>Ferroelectric memory: no pages, no waiting, hardly any wear.</summary>
    Fram,

    /// <summary>EEPROM: pages, milliseconds a write, a million writes a page.</summary>
    Eeprom,
}

/// <summary>The board's nonvolatile memory: a chip on an I2C bus, or an emulated one in a file.</summary>
internal sealed record NvmConfiguration
{
    private const int BusMax = 255;
    private const int AddressMin = 0x08;
    private const int AddressMax = 0x77;
    private const int AddressDefault = 0x50;

    /// <summary>Gets the chip's kind.</summary>
    public required NvmKind Kind { get; init; }

    /// <summary>Gets the file of an emulated chip; null for a real one.</summary>
    public string? FilePath { get; init; }

    /// <summary>Gets the I2C bus of a real chip.</summary>
    public int Bus { get; init; }

    /// <summary>Gets the I2C address of a real chip.</summary>
    public int Address { get; init; }

    /// <summary>Gets whether an emulated chip takes as long as a real one.</summary>
    public bool RealTiming { get; init; }

    internal static NvmConfiguration Read(ConfigObject root)
    {
        var timing = root.Choice("nvmTiming", "none", "none", "real");
        var nvm = root.Object("nvm");
        var kind = nvm.Choice("kind", null, "fram", "eeprom");
        var file = nvm.OptionalFilePath("file");
        var bus = nvm.OptionalInteger("bus", 0, BusMax);
        var address = nvm.OptionalBusAddress("address", AddressMin, AddressMax);
        nvm.End();
        if (!nvm.IsMissing && (file is null) == (bus is null))
        {
            nvm.Fault("bus", file is null
                ? "\"nvm\" needs either \"file\" (an emulated chip) or \"bus\" (a chip on an I2C bus)"
                : "\"nvm\" has both \"file\" and \"bus\"; a chip is either emulated or real");
        }

        return new NvmConfiguration
        {
            Kind = kind == "fram" ? NvmKind.Fram : NvmKind.Eeprom,
            FilePath = file,
            Bus = (int)(bus ?? 0),
            Address = address ?? AddressDefault,
            RealTiming = timing == "real",
        };
    }
}
