using System.Security.Cryptography;
using System.Text;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime.Configuration;

namespace MirrorController.HostAgent.Configuration;

/// <summary>What the host agent serves and with which boards, read from the file of <c>mirrorctl serve --config</c>.</summary>
internal sealed record AgentConfiguration
{
    /// <summary>Where the volume is served unless the configuration names an address.</summary>
    public const string NbdDefault = "127.0.0.1:10809";

    /// <summary>Where the agent is asked unless the configuration names an address.</summary>
    public const string HttpDefault = "127.0.0.1:7780";

    /// <summary>The most boards of one volume.</summary>
    public const int BoardsMax = 5;

    /// <summary>Gets the file this was read from.</summary>
    public required string FilePath { get; init; }

    /// <summary>Gets the volume's name, which is its NBD export's name, too.</summary>
    public required string Volume { get; init; }

    /// <summary>Gets where the volume is served.</summary>
    public required NodeAddress Nbd { get; init; }

    /// <summary>Gets where status, verify and shutdown are asked for.</summary>
    public required NodeAddress Http { get; init; }

    /// <summary>Gets the volume's secret.</summary>
    public required byte[] Secret { get; init; }

    /// <summary>Gets the boards; a board's place in this list is its member number.</summary>
    public required IReadOnlyList<AgentBoard> Boards { get; init; }

    /// <summary>Gets how long a board may stay away before it is shown as away, in milliseconds.</summary>
    public required long GraceMs { get; init; }

    /// <summary>Gets the log's file; null: standard error.</summary>
    public string? LogPath { get; init; }

    /// <summary>Gets the volume's identity: from the same name and secret it is the same.</summary>
    /// <remarks>The secret is drawn for one volume, so the identity needs no place of its own; the hash tells nothing about the secret.</remarks>
    public Guid VolumeId => new(HMACSHA256.HashData(Secret, Encoding.UTF8.GetBytes("volume id\n" + Volume)).AsSpan(0, 16));

    /// <summary>Gets the volume's NBD URI.</summary>
    public string NbdUri => $"nbd://{Nbd}/{Volume}";

    /// <summary>Gets the agent's HTTP address as a URI.</summary>
    public Uri HttpUri => new($"http://{Http}/");

    /// <summary>Reads a file; null when it has mistakes, which then are in <paramref name="file"/>.</summary>
    public static AgentConfiguration? Read(string path, out ConfigFile file)
    {
        file = ConfigFile.Load(path);
        var root = file.Root;
        var configuration = new AgentConfiguration
        {
            FilePath = file.FilePath,
            Volume = root.Name("volume"),
            Nbd = root.Address("nbd", NbdDefault),
            Http = root.Address("http", HttpDefault),
            Secret = root.Secret(),
            Boards = ReadBoards(root),
            GraceMs = root.DurationMs("grace", "30s"),
            LogPath = root.OptionalFilePath("log"),
        };
        root.End();
        return file.Faults.Count == 0 ? configuration : null;
    }

    private static List<AgentBoard> ReadBoards(ConfigObject root)
    {
        var boards = new List<AgentBoard>();
        foreach (var item in root.Objects("boards"))
        {
            var name = item.Name("name");
            var address = item.Address("address", null);
            var peer = item.OptionalAddress("peerAddress") ?? address;
            item.End();
            if (name.Length > 0 && boards.Exists(b => b.Name == name))
            {
                item.Fault("name", $"\"name\" is \"{name}\", which another board has; names are unique");
            }
            else if (address != default && boards.Exists(b => b.Address == address))
            {
                item.Fault("address", $"\"address\" is \"{address}\", which another board has; addresses are unique");
            }

            boards.Add(new AgentBoard(name, address, peer));
        }

        if (boards.Count > BoardsMax)
        {
            root.Fault("boards", $"\"boards\" has {boards.Count} boards; a volume has at most {BoardsMax}");
        }

        return boards;
    }
}
