using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MirrorController.Runtime.Configuration;

namespace MirrorController.HostAgent.Rig;

/// <summary>Writes the configuration files of the rig's nodes: the same files that a board and a PC have.</summary>
internal static class RigFiles
{
    private const int SecretBytes = 32;

    /// <summary>Writes the secret, if there is none, and all configurations.</summary>
    public static void Write(RigPaths paths, RigState state)
    {
        if (!File.Exists(paths.Secret))
        {
            var secret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SecretBytes));
            SafeFile.Replace(paths.Secret, Encoding.ASCII.GetBytes(secret + "\n"), secret: true);
        }

        foreach (var board in state.Boards)
        {
            var file = new BoardFile(
                board.Name,
                board.Listen,
                Path.GetRelativePath(paths.NodeFolder(board.Name), paths.Secret),
                new NvmFile(state.Nvm, Path.GetFileName(paths.Nvm(board.Name))),
                state.NvmTiming,
                new DiskFile(Path.GetFileName(paths.Disk(board.Name)), "file", state.DiskCache));
            SafeFile.Replace(paths.Configuration(board.Name), JsonSerializer.SerializeToUtf8Bytes(file, RigJson.Indented.BoardFile));
        }

        var agent = new AgentFile(
            state.Volume,
            state.Nbd,
            state.Http,
            Path.GetRelativePath(paths.NodeFolder(RigPaths.Host), paths.Secret),
            [.. state.Boards.Select(b => new AgentBoardFile(b.Name, b.Listen))],
            DurationText.Format(state.GraceMs));
        SafeFile.Replace(paths.AgentConfiguration, JsonSerializer.SerializeToUtf8Bytes(agent, RigJson.Indented.AgentFile));
    }
}

/// <summary>The configuration of <c>mirror-board</c> as the rig writes it.</summary>
internal sealed record BoardFile(string Name, string Listen, string SecretFile, NvmFile Nvm, string NvmTiming, DiskFile Disk);

/// <summary>An emulated chip in a board's configuration.</summary>
internal sealed record NvmFile(string Kind, string File);

/// <summary>A disk in a board's configuration.</summary>
internal sealed record DiskFile(string Path, string Kind, string Cache);

/// <summary>The configuration of <c>mirrorctl serve</c> as the rig writes it.</summary>
internal sealed record AgentFile(
    string Volume,
    string Nbd,
    string Http,
    string SecretFile,
    IReadOnlyList<AgentBoardFile> Boards,
    string Grace);

/// <summary>A board in the agent's configuration.</summary>
internal sealed record AgentBoardFile(string Name, string Address);
