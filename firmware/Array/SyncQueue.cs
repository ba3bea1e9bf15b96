using MirrorController.Protocol.Seams;

namespace MirrorController.Firmware.Array;

/// <summary>Shares syncs of a disk: a sync already running when somebody asks answers neither FLUSH nor FUA (rule W5); all who ask meanwhile share the next one.</summary>
/// <param name="disk">The disk.</param>
/// <param name="ended">Told the end of every sync, after those who asked for it.</param>
/// <remarks>
/// A failed sync is the disk's matter and not only that of who asked (rule D1): one that was asked for before the board
/// counted as restarted may fail when the replay has written again, and its pages then count as clean like any others.
/// </remarks>
internal sealed class SyncQueue(IBlockDevice disk, Action<IoStatus> ended) : ICompletion
{
    private List<Action<IoStatus>> _running = [];
    private List<Action<IoStatus>> _next = [];
    private bool _isRunning;

    public bool IsRunning => _isRunning;

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

        ended(status);
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
