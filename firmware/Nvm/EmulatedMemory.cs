using System.Buffers.Binary;
using System.Device.I2c;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;
using MirrorController.Runtime;

namespace MirrorController.Firmware.Nvm;

/// <summary>A memory chip in a file, as a device on an I2C bus, so that the drivers of real chips run on it.</summary>
/// <remarks>
/// Every death of the process is a power cut: a bus transaction goes to a side file first (with the bytes it replaces), then to the image,
/// then the side file is cleared. Both are mapped: what is stored outlives a killed process. The next start finds a transaction that was
/// running and lets it stop at some byte, by a logged seed; on a chip with pages the page in which it stopped is lost.
/// The side file: magic (4), address (4), length (4), CRC32C of what follows (4), the new bytes, the old bytes; zero magic: nothing running.
/// </remarks>
public abstract class EmulatedMemory : I2cDevice
{
    private const uint RunningMagic = 0x4E55524D;
    private const int SideHeaderBytes = 16;

    private readonly MappedFile _image;
    private readonly MappedFile _side;
    private readonly int _sizeBytes;
    private readonly bool _realTiming;
    private int _pointer;
    private long _busyUntil;

    private protected EmulatedMemory(EmulatedFiles files, int busAddress, bool realTiming)
    {
        _image = files.Image;
        _side = files.Side;
        _sizeBytes = _image.Span.Length;
        _realTiming = realTiming;
        ConnectionSettings = new I2cConnectionSettings(0, busAddress);
    }

    /// <inheritdoc/>
    public override I2cConnectionSettings ConnectionSettings { get; }

    /// <summary>Gets the page; 1 for none.</summary>
    protected abstract int PageBytes { get; }

    /// <summary>Gets the bus clock in Hz.</summary>
    protected abstract int ClockHz { get; }

    /// <summary>Gets the time after a write during which the chip does not answer.</summary>
    protected abstract int WriteCycleMs { get; }

    /// <inheritdoc/>
    public override byte ReadByte()
    {
        Span<byte> one = stackalloc byte[1];
        Read(one);
        return one[0];
    }

    /// <inheritdoc/>
    public override void Read(Span<byte> buffer)
    {
        Answer();
        Spend(1 + buffer.Length);
        var image = _image.Span;
        for (var i = 0; i < buffer.Length; i++)
        {
            buffer[i] = image[_pointer];
            _pointer = (_pointer + 1) % _sizeBytes;
        }
    }

    /// <inheritdoc/>
    public override void WriteByte(byte value) => Write([value]);

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        Answer();
        Spend(1 + buffer.Length);
        if (buffer.Length < 2)
        {
            return;
        }

        _pointer = BinaryPrimitives.ReadUInt16BigEndian(buffer) % _sizeBytes;
        var data = buffer[2..];
        if (!data.IsEmpty)
        {
            Store(data);
        }
    }

    /// <inheritdoc/>
    public override void WriteRead(ReadOnlySpan<byte> writeBuffer, Span<byte> readBuffer)
    {
        Write(writeBuffer);
        Read(readBuffer);
    }

    /// <summary>Opens the files of a chip, makes them if there are none, and settles a transaction that a power cut stopped.</summary>
    private protected static bool TryOpen(
        string path,
        int sizeBytes,
        int pageBytes,
        byte blank,
        int seed,
        INodeLog log,
        [NotNullWhen(true)] out EmulatedFiles? files,
        [NotNullWhen(false)] out string? fault)
    {
        files = null;
        SafeFileHandle? imageFile = null;
        SafeFileHandle? sideFile = null;
        MappedFile? image = null;
        try
        {
            if (!File.Exists(path))
            {
                var bytes = new byte[sizeBytes];
                bytes.AsSpan().Fill(blank);
                var made = path + ".new";
                File.WriteAllBytes(made, bytes);
                File.Move(made, path);
            }

            imageFile = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            if (RandomAccess.GetLength(imageFile) != sizeBytes)
            {
                fault = $"The file {path} has {RandomAccess.GetLength(imageFile)} bytes; the memory chip that it should be has {sizeBytes}.";
                imageFile.Dispose();
                return false;
            }

            image = new MappedFile(imageFile, sizeBytes);
            sideFile = File.OpenHandle(path + ".running", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            var side = new MappedFile(sideFile, SideHeaderBytes + (2 * sizeBytes));
            Settle(image.Span, side.Span, pageBytes, seed, path, log);
            files = new EmulatedFiles(image, side);
            fault = null;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            image?.Dispose();
            imageFile?.Dispose();
            sideFile?.Dispose();
            fault = $"The memory chip's file {path} cannot be used: {e.Message}";
            return false;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _image.Dispose();
            _side.Dispose();
        }

        base.Dispose(disposing);
    }

    private static void Settle(Span<byte> image, Span<byte> side, int pageBytes, int seed, string path, INodeLog log)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(side) != RunningMagic)
        {
            return;
        }

        var address = BinaryPrimitives.ReadInt32LittleEndian(side[4..]);
        var length = BinaryPrimitives.ReadInt32LittleEndian(side[8..]);
        if (address < 0 || length <= 0 || address > image.Length - length
            || Crc32C.Compute(side.Slice(SideHeaderBytes, 2 * length)) != BinaryPrimitives.ReadUInt32LittleEndian(side[12..]))
        {
            // No transaction of ours: the image is as the last one left it.
            return;
        }

        var random = new Random(seed);
        var stored = random.Next(length + 1);
        side.Slice(SideHeaderBytes, stored).CopyTo(image[address..]);
        side.Slice(SideHeaderBytes + length + stored, length - stored).CopyTo(image[(address + stored)..]);
        if (pageBytes > 1 && stored < length)
        {
            random.NextBytes(image.Slice((address + stored) / pageBytes * pageBytes, pageBytes));
        }

        SetMagic(side, 0);
        log.Info($"The memory chip {path} lost its power in a write: {stored} of {length} bytes at address {address} are stored (seed {seed}).");
    }

    /// <summary>Stores the data of one transaction. Beyond the page, or the chip, it goes on at its start, as in the real chip.</summary>
    private void Store(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            var wrap = PageBytes > 1 ? PageBytes : _sizeBytes;
            var part = Math.Min(data.Length, wrap - (_pointer % wrap));
            StorePart(_pointer, data[..part]);
            data = data[part..];
            _pointer += part;
            if (_pointer % wrap == 0)
            {
                _pointer -= wrap;
            }
        }

        if (_realTiming && WriteCycleMs > 0)
        {
            _busyUntil = Stopwatch.GetTimestamp() + (Stopwatch.Frequency * WriteCycleMs / 1000);
        }
    }

    private void StorePart(int address, ReadOnlySpan<byte> data)
    {
        var image = _image.Span.Slice(address, data.Length);
        var side = _side.Span;
        var both = side.Slice(SideHeaderBytes, 2 * data.Length);
        data.CopyTo(both);
        image.CopyTo(both[data.Length..]);
        BinaryPrimitives.WriteInt32LittleEndian(side[4..], address);
        BinaryPrimitives.WriteInt32LittleEndian(side[8..], data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(side[12..], Crc32C.Compute(both));
        SetMagic(side, RunningMagic);
        data.CopyTo(image);
        SetMagic(side, 0);
    }

    /// <summary>Sets the magic when all before it is stored, and lets nothing behind it be stored before it.</summary>
    private static void SetMagic(Span<byte> side, uint magic)
    {
        Interlocked.MemoryBarrier();
        BinaryPrimitives.WriteUInt32LittleEndian(side, magic);
        Interlocked.MemoryBarrier();
    }

    /// <summary>A chip in its write cycle does not acknowledge.</summary>
    private void Answer()
    {
        if (_busyUntil != 0 && Stopwatch.GetTimestamp() < _busyUntil)
        {
            throw new IOException("the emulated chip does not acknowledge: it is in its write cycle");
        }

        _busyUntil = 0;
    }

    /// <summary>Takes the bus time of so many bytes: nine clocks a byte, and start and stop.</summary>
    private void Spend(int bytes)
    {
        if (!_realTiming)
        {
            return;
        }

        var until = Stopwatch.GetTimestamp() + (long)(Stopwatch.Frequency * ((9.0 * bytes) + 2) / ClockHz);
        var remaining = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), until).TotalMilliseconds;
        if (remaining > 2)
        {
            Thread.Sleep((int)remaining - 1);
        }

        while (Stopwatch.GetTimestamp() < until)
        {
            Thread.Yield();
        }
    }

    /// <summary>The files of an emulated chip, open and settled.</summary>
    private protected sealed record EmulatedFiles(MappedFile Image, MappedFile Side);
}
