using Microsoft.Extensions.Hosting;
using MirrorController.Firmware.Array;
using MirrorController.Firmware.Configuration;
using MirrorController.Firmware.Devices;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

namespace MirrorController.Firmware.Service;

/// <summary>The board under the host: its loop on a thread of its own, started and stopped with the service.</summary>
/// <remarks>The service counts as started when the board listens. A fault that nobody foresaw ends the process with exit code 2.</remarks>
internal sealed class BoardService : IHostedService
{
    private readonly BoardConfiguration _configuration;
    private readonly INodeLog _log;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly RuntimeLoop _loop;
    private BoardDevices? _devices;
    private BoardNode? _node;
    private Thread? _thread;

    /// <summary>Makes a service that does nothing yet.</summary>
    public BoardService(BoardConfiguration configuration, INodeLog log, IHostApplicationLifetime lifetime)
    {
        _configuration = configuration;
        _log = log;
        _lifetime = lifetime;
        _loop = RuntimeLoop.Create(new LoopOptions { OnFatal = Die });
    }

    /// <summary>Gets the exit code that the process ends with.</summary>
    public int ExitCode { get; private set; }

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _loop.Post(() => Start(started));
        _thread = _loop.StartThread("board");
        try
        {
            await started.Task.WaitAsync(cancellationToken);
            _log.Info($"Board {_configuration.Name} listens on {_node!.Address}.");
        }
        catch (IOException e)
        {
            Fail(e.Message);
        }
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        _loop.Post(() =>
        {
            _node?.Stop();
            _loop.Stop();
        });
        _thread?.Join();
        _devices?.Dispose();
        _log.Info($"Board {_configuration.Name} has stopped.");
        return Task.CompletedTask;
    }

    private async void Start(TaskCompletionSource started)
    {
        try
        {
            IRandomSource random = _configuration.Seed is { } seed ? new SeededRandom((ulong)seed) : new SystemRandom();
            _devices = BoardDevices.Open(_configuration, _loop, random, _log);
            _node = new BoardNode(_loop, _loop, new SystemRandom(), _log, _loop.Pool, _devices.Chip, _devices.Disk, new BoardOptions
            {
                Name = _configuration.Name,
                Listen = _configuration.Listen,
                Secret = _configuration.Secret,
                VolumesMax = _configuration.VolumesMax,
            });
            await _node.StartAsync();
            started.SetResult();
        }
        catch (Exception e)
        {
            started.SetException(e);
        }
    }

    private void Die(Exception e) => Fail($"Board {_configuration.Name} halts, a bug was found: {e}");

    private void Fail(string sentence)
    {
        _log.Error(sentence);
        ExitCode = BoardExit.Unusable;
        _lifetime.StopApplication();
    }
}
