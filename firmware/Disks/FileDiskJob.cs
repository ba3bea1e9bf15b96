using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

namespace MirrorController.Firmware.Disks;

/// <summary>What a disk is asked to do.</summary>
internal enum DiskWork
{
    Write,
    WriteSync,
    Read,
    Zero,
    Sync,

    /// <summary>Nothing but to tell a fault.</summary>
    Refuse,
}

/// <summary>One operation of a file disk, used again and again.</summary>
internal sealed class FileDiskJob(FileDisk disk) : WorkerJob
{
    public DiskWork Kind { get; private set; }

    public long OffsetBytes { get; private set; }

    public long LengthBytes { get; private set; }

    public Payload? Payload { get; private set; }

    public Slice Into { get; private set; }

    public IoStatus Status { get; private set; }

    private ICompletion? Done { get; set; }

    public void Set(DiskWork kind, long offsetBytes, long lengthBytes, Payload? payload, Slice into, ICompletion done)
    {
        Kind = kind;
        OffsetBytes = offsetBytes;
        LengthBytes = lengthBytes;
        Payload = payload;
        Into = into;
        Done = done;
        Status = IoStatus.Ok;
    }

    public void Refuse(string sentence)
    {
        Kind = DiskWork.Refuse;
        Status = new IoStatus(sentence);
    }

    protected override void Work()
    {
        if (Kind != DiskWork.Refuse)
        {
            Status = disk.Do(this);
        }
    }

    /// <summary>Does it on the loop's thread; the end is still told later.</summary>
    public void WorkInline(ILoop loop)
    {
        Work();
        loop.Post(FinishAction);
    }

    protected override void Finish()
    {
        var done = Done!;
        var status = Status;
        Payload = null;
        Into = default;
        Done = null;
        disk.Recycle(this);
        done.Completed(status);
    }
}
