using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime.Configuration;

namespace MirrorController.Firmware.Configuration;

/// <summary>What one board is made of, read from the file of <c>mirror-board --config</c>.</summary>
internal sealed record BoardConfiguration
{
    /// <summary>Where a board listens unless its configuration names an address.</summary>
    public const string ListenDefault = "127.0.0.1:7710";

    /// <summary>The most volumes a chip is divided among.</summary>
    public const int VolumesMaxMax = NvmLayout.VolumesMax;

    /// <summary>Gets the board's name in messages.</summary>
    public required string Name { get; init; }

    /// <summary>Gets the address for the agent and the other boards.</summary>
    public required NodeAddress Listen { get; init; }

    /// <summary>Gets the volume's secret.</summary>
    public required byte[] Secret { get; init; }

    /// <summary>Gets the nonvolatile memory that holds the tag table.</summary>
    public required NvmConfiguration Nvm { get; init; }

    /// <summary>Gets the disk that holds the data.</summary>
    public required DiskConfiguration Disk { get; init; }

    /// <summary>Gets how many volumes the chip is divided among when it is formatted.</summary>
    public required int VolumesMax { get; init; }

    /// <summary>Gets the seed of the emulations' power losses; null: drawn at the start and logged.</summary>
    public long? Seed { get; init; }

    /// <summary>Reads a file; null when it has mistakes, which then are in <paramref name="file"/>.</summary>
    public static BoardConfiguration? Read(string path, out ConfigFile file)
    {
        file = ConfigFile.Load(path);
        var root = file.Root;
        var configuration = new BoardConfiguration
        {
            Name = root.Name("name"),
            Listen = root.Address("listen", ListenDefault),
            Secret = root.Secret(),
            Nvm = NvmConfiguration.Read(root),
            Disk = DiskConfiguration.Read(root.Object("disk")),
            VolumesMax = (int)root.Integer("volumesMax", 1, 1, VolumesMaxMax),
            Seed = root.OptionalInteger("seed", 0, long.MaxValue),
        };
        root.End();
        return file.Faults.Count == 0 ? configuration : null;
    }
}
