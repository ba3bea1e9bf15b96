using System.Net.Sockets;
using System.Text.Json;
using MirrorController.HostAgent.Cli;
using MirrorController.HostAgent.Control;

namespace MirrorController.HostAgent.Rig;

/// <summary>The supervisor's ear: takes a request from each connection and answers it.</summary>
internal sealed class RigServer : IAsyncDisposable
{
    private const int RequestBytesMax = 4096;
    private static readonly TimeSpan LastAnswersMax = TimeSpan.FromSeconds(2);
    private readonly RigPaths _paths;
    private readonly RigSupervisor _supervisor;
    private readonly Socket _socket;
    private readonly CancellationTokenSource _end = new();
    private readonly HashSet<Task> _serving = [];

    private RigServer(RigPaths paths, RigSupervisor supervisor)
    {
        _paths = paths;
        _supervisor = supervisor;
        _socket = RigSocket.Listen(paths);
    }

    /// <summary>Begins to listen.</summary>
    /// <exception cref="IOException">The socket cannot be made.</exception>
    public static RigServer Start(RigPaths paths, RigSupervisor supervisor)
    {
        RigServer server;
        try
        {
            server = new RigServer(paths, supervisor);
        }
        catch (SocketException e)
        {
            throw new IOException($"The rig's socket {paths.Socket} cannot be made: {e.Message.TrimEnd('.')}.", e);
        }

        _ = server.AcceptAsync();
        return server;
    }

    /// <inheritdoc/>
    /// <remarks>Who asked for the end still gets the answer.</remarks>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _socket.Dispose();
        Task[] serving;
        lock (_serving)
        {
            serving = [.. _serving];
        }

        await Task.WhenAny(Task.WhenAll(serving), Task.Delay(LastAnswersMax));
        File.Delete(_paths.Socket);
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                var connection = await _socket.AcceptAsync(_end.Token);
                Track(ServeAsync(connection));
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                if (e is SocketException && !_end.IsCancellationRequested)
                {
                    continue;
                }

                return;
            }
        }
    }

    private void Track(Task serving)
    {
        lock (_serving)
        {
            _serving.Add(serving);
        }

        _ = serving.ContinueWith(
            done =>
            {
                lock (_serving)
                {
                    _serving.Remove(done);
                }
            },
            TaskScheduler.Default);
    }

    private async Task ServeAsync(Socket connection)
    {
        try
        {
            await using var stream = new NetworkStream(connection, ownsSocket: true);
            var reply = await ReadAsync(stream) is { } request
                ? await DoAsync(request)
                : new RigReply(null, "The rig's socket takes one line of JSON, as mirrorctl rig sends it.", ExitCode.Usage);
            await stream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(reply, RigJson.Default.RigReply));
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // Who asked has gone; what was asked for is done all the same.
        }
    }

    private async Task<RigRequest?> ReadAsync(NetworkStream stream)
    {
        var buffer = new byte[RequestBytesMax];
        var used = 0;
        while (used < buffer.Length && (used == 0 || buffer[used - 1] != (byte)'\n'))
        {
            var n = await stream.ReadAsync(buffer.AsMemory(used), _end.Token);
            if (n == 0)
            {
                break;
            }

            used += n;
        }

        return RigRequest.Read(buffer.AsSpan(0, used));
    }

    private async Task<RigReply> DoAsync(RigRequest request)
    {
        try
        {
            switch (request.Verb)
            {
                case RigVerb.Ready:
                    await _supervisor.Up;
                    break;
                case RigVerb.Cut:
                    await _supervisor.CutAsync(request.Nodes, request.Silent);
                    break;
                case RigVerb.Restore:
                    await _supervisor.RestoreAsync(request.Nodes, CancellationToken.None);
                    break;
                case RigVerb.Down:
                    await _supervisor.DownAsync();
                    break;
            }

            return new RigReply(_supervisor.Snapshot(), null, ExitCode.Done);
        }
        catch (CliFault fault)
        {
            return new RigReply(null, fault.Message, fault.ExitCode);
        }
        catch (Exception e) when (e is IOException or PlatformNotSupportedException or ControlException)
        {
            return new RigReply(_supervisor.Snapshot(), e.Message, NodeFault.CodeOf(e));
        }
        catch (OperationCanceledException)
        {
            return new RigReply(_supervisor.Snapshot(), "The rig is going down.", ExitCode.Failed);
        }
    }
}
