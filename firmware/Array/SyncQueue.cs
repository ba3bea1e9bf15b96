using MirrorController.Protocol.Seams;

namespace MirrorController.Firmware.Array;

/// <summary>Shares syncs of a disk: a sync already running when somebody asks answers neither FLUSH nor FUA (rule W5); all who ask meanwhile share the next one.</summary>
internal sealed class SyncQueue(IBlockDevice disk) : ICompletion
{
    private List<Action<IoStatus>> _running = [];
    private List<Action<IoStatus>> _next = [];
    private bool _isRunning;

    /// <summary>Asks for a sync that starts after this call; the answer never comes inside it.</summary>
    public void Request(Action<IoStatus> done)
    {
        _next.Add(done);
        if (!_isRunning)
        {
            Start();
        }
    }

    public void Completed(IoStatus status)
    {
        _isRunning = false;
        var done = _running;
        _running = [];
        foreach (var action in done)
        {
            action(status);
        }

        if (!_isRunning && _next.Count > 0)
        {
            Start();
        }
    }

    private void Start()
    {
        (_running, _next) = (_next, _running);
        _isRunning = true;
        disk.Sync(this);
    }
}
