using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>A simulated chip as one life of a node has it open. One transfer at a time, or the test fails.</summary>
internal sealed class SimNvm(SimNvmMedia media, SimLoop loop) : INvm
{
    private const long StuckLookMicros = 10_000;
    private bool _busy;

    public string Kind => media.Kind;

    public int SizeBytes => media.SizeBytes;

    public int PageBytes => media.PageBytes;

    public void Read(int address, Memory<byte> into, ICompletion done)
    {
        if (Begin(address, into.Length))
        {
            EndLater(() => media.EndRead(address, into), done);
        }
    }

    public void Write(int address, ReadOnlyMemory<byte> data, ICompletion done)
    {
        if (Begin(address, data.Length))
        {
            media.BeginWrite(address, data.Span);
            EndLater(
                () =>
                {
                    var fault = media.EndWrite(address, data);
                    media.Tell(false, address, data.Length);
                    return fault;
                },
                done);
        }
    }

    private bool Begin(int address, int length)
    {
        if (address < 0 || length < 0 || address > SizeBytes - length)
        {
            throw new ArgumentOutOfRangeException(nameof(address), $"{media.Name}: {address}+{length} is beyond the chip.");
        }

        if (loop.IsDead)
        {
            return false;
        }

        if (_busy)
        {
            throw new InvalidOperationException($"{media.Name}: a transfer was begun while another one runs.");
        }

        _busy = true;
        return true;
    }

    private void EndLater(Func<string?> end, ICompletion done)
    {
        void End()
        {
            if (media.IsStuck)
            {
                media.World.ScheduleIn(StuckLookMicros, () => loop.Arrive(End));
                return;
            }

            _busy = false;
            var fault = end();
            if (!loop.IsDead)
            {
                done.Completed(new IoStatus(fault));
            }
        }

        var delay = media.NextDelayMicros();
        if (delay == 0)
        {
            loop.Post(End);
        }
        else
        {
            media.World.ScheduleIn(delay, () => loop.Arrive(End));
        }
    }
}
