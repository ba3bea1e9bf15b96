using System.Text.Json;
using MirrorController.HostAgent.Cli;

namespace MirrorController.HostAgent.Rig;

/// <summary>A board of the rig.</summary>
internal sealed record RigBoardState
{
    public required string Name { get; init; }

    /// <summary>Gets the address it listens on.</summary>
    public required string Listen { get; init; }

    /// <summary>Gets where the data begins on its disk; 0 before the volume was created.</summary>
    public long DataOffset { get; init; }
}

/// <summary>What a rig is, kept in its folder from the first use on.</summary>
internal sealed record RigState
{
    /// <summary>The format of the file.</summary>
    public const int FormatVersion = 1;

    private const string VolumeDefault = "tank";

    public int Format { get; init; } = FormatVersion;

    public string Volume { get; init => field = value ?? VolumeDefault; } = VolumeDefault;

    public required long SizeBytes { get; init; }

    /// <summary>Gets whether the creation of the volume has been completed on all boards.</summary>
    public bool Created { get; init; }

    /// <summary>Gets the kind of the emulated chips: <c>fram</c> or <c>eeprom</c>.</summary>
    public required string Nvm { get; init; }

    /// <summary>Gets their timing: <c>real</c> or <c>none</c>.</summary>
    public required string NvmTiming { get; init; }

    /// <summary>Gets the emulated disk cache: <c>volatile</c> or <c>none</c>.</summary>
    public required string DiskCache { get; init; }

    public required long GraceMs { get; init; }

    /// <summary>Gets where the volume is served.</summary>
    public required string Nbd { get; init; }

    /// <summary>Gets where the agent answers.</summary>
    public required string Http { get; init; }

    public required IReadOnlyList<RigBoardState> Boards { get; init; }

    /// <summary>Reads a folder's state; null when the rig was never used.</summary>
    /// <exception cref="CliFault">The file cannot be used.</exception>
    public static RigState? Load(RigPaths paths)
    {
        try
        {
            using var file = File.OpenRead(paths.State);
            var state = JsonSerializer.Deserialize(file, RigJson.Default.RigState);
            if (state?.Boards.Any(b => b is null) == true)
            {
                throw new JsonException("a board is null");
            }

            return state is { Format: FormatVersion }
                ? state
                : throw new CliFault($"{paths.State} has format {state?.Format}; this version knows format {FormatVersion}.", ExitCode.Unusable);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new CliFault($"{paths.State} cannot be used: {e.Message.TrimEnd('.')}; use another --dir or remove the folder.", ExitCode.Unusable);
        }
    }

    /// <summary>Replaces a folder's state; after a crash there is the old one or the new one.</summary>
    public void Save(RigPaths paths) => SafeFile.Replace(paths.State, JsonSerializer.SerializeToUtf8Bytes(this, RigJson.Indented.RigState));
}
