using System.Device.I2c;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

namespace MirrorController.Firmware.Nvm;

/// <summary>A memory chip on an I2C bus with addresses of two bytes. Bus calls block, so they run on a worker where time matters.</summary>
/// <remarks>Without a worker a call ends within the loop's turn: right for an emulated chip without timing, and for nothing else.</remarks>
public abstract class I2cNvm : INvm, IDisposable
{
    /// <summary>The most bytes that the kernel takes in one I2C message.</summary>
    protected const int MessageBytesMax = 8192;

    private readonly ILoop _loop;
    private readonly Worker? _worker;
    private readonly TransferJob _job;

    /// <summary>Makes the driver of a chip.</summary>
    /// <param name="loop">The board's loop.</param>
    /// <param name="device">The chip on its bus; disposed with the driver.</param>
    /// <param name="sizeBytes">The chip's size, at most 64 KiB.</param>
    /// <param name="worker">Where bus calls run; null: within the turn.</param>
    protected I2cNvm(ILoop loop, I2cDevice device, int sizeBytes, Worker? worker)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sizeBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sizeBytes, 65536);
        _loop = loop;
        _worker = worker;
        Device = device;
        SizeBytes = sizeBytes;
        _job = new TransferJob(this);
    }

    /// <inheritdoc/>
    public abstract string Kind { get; }

    /// <inheritdoc/>
    public int SizeBytes { get; }

    /// <inheritdoc/>
    public abstract int PageBytes { get; }

    /// <summary>Gets the chip on its bus.</summary>
    protected I2cDevice Device { get; }

    /// <inheritdoc/>
    public void Read(int address, Memory<byte> into, ICompletion done) => Begin(address, into, default, into.Length, done);

    /// <inheritdoc/>
    public void Write(int address, ReadOnlyMemory<byte> data, ICompletion done) => Begin(address, default, data, data.Length, done);

    /// <summary>Closes the bus device; the worker is the owner's.</summary>
    public void Dispose()
    {
        Device.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Reads, blocking.</summary>
    protected virtual void ReadNow(int address, Span<byte> into)
    {
        Span<byte> where = stackalloc byte[2];
        while (!into.IsEmpty)
        {
            var part = Math.Min(into.Length, MessageBytesMax);
            (where[0], where[1]) = ((byte)(address >> 8), (byte)address);
            Device.WriteRead(where, into[..part]);
            into = into[part..];
            address += part;
        }
    }

    /// <summary>Writes, blocking; when it returns the bytes are stored.</summary>
    protected abstract void WriteNow(int address, ReadOnlySpan<byte> data);

    private void Begin(int address, Memory<byte> into, ReadOnlyMemory<byte> data, int length, ICompletion done)
    {
        if (address < 0 || length <= 0 || address > SizeBytes - length)
        {
            throw new ArgumentOutOfRangeException(nameof(address), $"A transfer of {length} bytes at address {address} is not within the chip's {SizeBytes}.");
        }

        Protocol.Invariant.Check(_job.Done is null, "one transfer at a time");
        _job.Done = done;
        _job.Address = address;
        _job.Into = into;
        _job.Data = data;
        if (_worker is not null)
        {
            _worker.Queue(_job);
        }
        else
        {
            _job.RunWithin(_loop);
        }
    }

    private sealed class TransferJob(I2cNvm chip) : WorkerJob
    {
        private IoStatus _status;

        public ICompletion? Done { get; set; }

        public int Address { get; set; }

        public Memory<byte> Into { get; set; }

        public ReadOnlyMemory<byte> Data { get; set; }

        public void RunWithin(ILoop loop)
        {
            Work();
            loop.Post(FinishAction);
        }

        protected override void Work()
        {
            try
            {
                if (Data.IsEmpty)
                {
                    chip.ReadNow(Address, Into.Span);
                }
                else
                {
                    chip.WriteNow(Address, Data.Span);
                }

                _status = IoStatus.Ok;
            }
            catch (IOException e)
            {
                _status = new IoStatus(e.Message);
            }
        }

        protected override void Finish()
        {
            var done = Done!;
            Done = null;
            done.Completed(_status);
        }
    }
}
