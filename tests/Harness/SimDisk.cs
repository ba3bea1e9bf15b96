using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>A simulated disk as one life of a node has it open.</summary>
internal sealed class SimDisk(SimDiskMedia media, SimLoop loop) : IBlockDevice
{
    private const long TurnLookMicros = 100;

    private readonly int _plugged = media.Faults.UnpluggedCount;
    private bool _closed;

    public long SizeBytes => media.SizeBytes;

    public int PhysicalSectorBytes => SimDiskMedia.SectorBytes;

    public string Name => "simulated disk " + media.Name;

    public void Write(long offsetBytes, Payload payload, ICompletion done) =>
        Begin(SimDiskOperation.Write, offsetBytes, payload.Length, payload, default, done);

    public void WriteSync(long offsetBytes, Payload payload, ICompletion done) =>
        Begin(SimDiskOperation.WriteSync, offsetBytes, payload.Length, payload, default, done);

    public void Read(long offsetBytes, Slice into, ICompletion done) =>
        Begin(SimDiskOperation.Read, offsetBytes, into.Length, null, into, done);

    public void Zero(long offsetBytes, long lengthBytes, ICompletion done) =>
        Begin(SimDiskOperation.Zero, offsetBytes, lengthBytes, null, default, done);

    public void Sync(ICompletion done) => Begin(SimDiskOperation.Sync, 0, 0, null, default, done);

    public long KnownZeroBytes(long offsetBytes, long lengthBytes) => _closed ? 0 : media.KnownZeroBytes(offsetBytes, lengthBytes);

    public void Close() => _closed = true;

    private void Begin(SimDiskOperation operation, long offsetBytes, long lengthBytes, Payload? payload, Slice into, ICompletion done)
    {
        if (loop.IsDead)
        {
            return;
        }

        if (_closed || offsetBytes < 0 || lengthBytes < 0 || lengthBytes > SizeBytes || offsetBytes > SizeBytes - lengthBytes)
        {
            var sentence = _closed ? "The disk is closed." : $"The range {offsetBytes}+{lengthBytes} is beyond the disk's {SizeBytes} bytes.";
            loop.Post(() => done.Completed(new IoStatus(sentence)));
            return;
        }

        var request = new SimDiskRequest(media, operation, offsetBytes, lengthBytes, payload, into);
        media.Begin(request);
        EndLater(request, done);
    }

    private string? Apply(SimDiskRequest request) => media.Faults.UnpluggedCount == _plugged ? request.Apply() : request.Fail("The operation failed: No such device.");

    private void Report(SimDiskRequest request, string? fault, ICompletion done)
    {
        media.End(request);
        media.Tell(false, request);
        if (loop.IsDead)
        {
            return;
        }

        if (media.World.IsVerbose)
        {
            media.World.Note($"{media.Name}: {request} ends{(fault is null ? string.Empty : ": " + fault)}");
        }

        done.Completed(new IoStatus(fault));
    }

    private void EndLater(SimDiskRequest request, ICompletion done)
    {
        const long HangLookMicros = 10_000;
        var delay = media.Faults.IsHanging ? HangLookMicros : media.NextDelayMicros(request.IsDurable);
        media.World.ScheduleIn(delay, () => EndNow(request, done));
    }

    private void EndNow(SimDiskRequest request, ICompletion done)
    {
        if (loop.IsDead)
        {
            return;
        }

        if (media.Faults.IsHanging)
        {
            EndLater(request, done);
            return;
        }

        if (!media.IsItsTurn(request))
        {
            media.World.ScheduleIn(TurnLookMicros, () => EndNow(request, done));
            return;
        }

        var late = media.NextReportDelayMicros();
        if (late == 0)
        {
            // Done when the loop hears of it, not before: so a payload released too early is found out.
            loop.Arrive(() => Report(request, Apply(request), done));
        }
        else
        {
            var fault = Apply(request);
            media.World.ScheduleIn(late, () => loop.Arrive(() => Report(request, fault, done)));
        }
    }
}
