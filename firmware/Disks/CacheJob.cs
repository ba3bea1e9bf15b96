using MirrorController.Protocol.Seams;

namespace MirrorController.Firmware.Disks;

/// <summary>One operation of an emulated disk, used again and again; ends when the disk does not hang.</summary>
internal sealed class CacheJob : ICompletion
{
    private readonly VolatileCacheDisk _disk;
    private readonly Action _finish;
    private ICompletion? _done;
    private IoStatus _status;

    public CacheJob(VolatileCacheDisk disk)
    {
        _disk = disk;
        _finish = Finish;
    }

    public CacheJob Begin(ICompletion done)
    {
        _done = done;
        return this;
    }

    /// <summary>Ends it with an outcome that is known already; who asked hears of it later.</summary>
    public void EndLater(ILoop loop, IoStatus status)
    {
        _status = status;
        loop.Post(_finish);
    }

    public void Completed(IoStatus status)
    {
        _status = status;
        Finish();
    }

    public void Finish()
    {
        if (_disk.Faults.IsHanging)
        {
            _disk.Park(this);
            return;
        }

        var done = _done!;
        _done = null;
        _disk.Recycle(this);
        done.Completed(_status);
    }
}
