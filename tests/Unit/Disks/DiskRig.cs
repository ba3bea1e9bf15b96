using MirrorController.Protocol.Seams;
using MirrorController.Runtime;
using MirrorController.Tests.Unit.Runtime;

namespace MirrorController.Tests.Unit.Disks;

/// <summary>A disk on a loop, as the contract suite sees it.</summary>
public abstract class DiskRig : IDisposable
{
    public const long SizeBytes = 8 * 1024 * 1024;

    public abstract IBlockDevice Disk { get; }

    public abstract ILoop Loop { get; }

    public abstract void RunUntil(Func<bool> condition);

    public abstract void Dispose();

    /// <summary>Starts an operation as the loop would, and runs until it has ended.</summary>
    public IoStatus Do(Action<ICompletion> begin)
    {
        var end = new RecordedEnd();
        Loop.Post(() =>
        {
            begin(end);
            Assert.Null(end.Status);
        });
        RunUntil(() => end.Status is not null);
        return end.Status!.Value;
    }

    public IoStatus Write(long offsetBytes, params byte[] bytes)
    {
        var payload = Payload.Take(Slice.Copy(bytes));
        return Do(done => Disk.Write(offsetBytes, payload, done));
    }

    public IoStatus WriteSync(long offsetBytes, params byte[] bytes)
    {
        var payload = Payload.Take(Slice.Copy(bytes));
        return Do(done => Disk.WriteSync(offsetBytes, payload, done));
    }

    public IoStatus Zero(long offsetBytes, long lengthBytes) => Do(done => Disk.Zero(offsetBytes, lengthBytes, done));

    public IoStatus Sync() => Do(Disk.Sync);

    public byte[] Read(long offsetBytes, int lengthBytes)
    {
        var into = Slice.Copy(Enumerable.Repeat((byte)0xEE, lengthBytes).ToArray());
        Assert.True(Do(done => Disk.Read(offsetBytes, into, done)).IsOk);
        return into.Span.ToArray();
    }
}

/// <summary>Notes how an operation ended; twice is a failure.</summary>
public sealed class RecordedEnd : ICompletion
{
    public IoStatus? Status { get; private set; }

    public void Completed(IoStatus status)
    {
        Assert.Null(Status);
        Status = status;
    }
}

/// <summary>Tells that an operation has ended well.</summary>
public sealed class Ended(Action tell) : ICompletion
{
    public void Completed(IoStatus status)
    {
        Assert.True(status.IsOk, status.Fault);
        tell();
    }
}

/// <summary>A real loop and a folder of its own for disks in files.</summary>
public abstract class FileDiskRigBase : DiskRig
{
    private readonly RealLoopRig _loop = new(LoopBackend.Automatic);

    protected FileDiskRigBase() => Folder = Directory.CreateTempSubdirectory("mirror-disk-").FullName;

    public string Folder { get; }

    public string DataPath => Path.Combine(Folder, "data");

    public override ILoop Loop => _loop.Loop;

    public override void RunUntil(Func<bool> condition) => _loop.RunUntil(condition);

    public override void Dispose()
    {
        Disk.Close();
        _loop.Dispose();
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }
}
