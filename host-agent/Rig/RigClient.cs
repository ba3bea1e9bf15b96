using System.Net.Sockets;
using System.Text.Json;
using MirrorController.HostAgent.Cli;

namespace MirrorController.HostAgent.Rig;

/// <summary>Asks the supervisor of a rig's folder.</summary>
internal static class RigClient
{
    /// <summary>The longest answer in bytes: five boards with the longest paths take a tenth of it.</summary>
    private const int AnswerBytesMax = 1 << 20;

    /// <summary>Sends a request and waits for the answer, as long as that takes.</summary>
    /// <returns>The rig after the request; null when no supervisor runs on this folder.</returns>
    /// <exception cref="CliFault">The request was not done.</exception>
    public static async Task<RigModel?> AskAsync(RigPaths paths, RigRequest request, CancellationToken cancellation)
    {
        using var socket = RigSocket.Connect(paths);
        if (socket is null)
        {
            return null;
        }

        var reply = await AskAsync(socket, request, cancellation)
            ?? throw new CliFault($"The rig in {paths.Folder} ended before it answered; see {paths.Log("rig")} and {paths.Log(RigPaths.Host)}.");
        return reply.Fault is null ? reply.Rig : throw new CliFault(reply.Fault, reply.Exit);
    }

    private static async Task<RigReply?> AskAsync(Socket socket, RigRequest request, CancellationToken cancellation)
    {
        try
        {
            await using var stream = new NetworkStream(socket);
            await stream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(request, RigJson.Default.RigRequest).Append((byte)'\n').ToArray(), cancellation);
            var answer = new byte[AnswerBytesMax];
            var length = await stream.ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, cancellation);
            return RigReply.Read(answer.AsSpan(0, length));
        }
        catch (IOException)
        {
            return null;
        }
    }
}
