using System.Device.I2c;
using System.Diagnostics;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

namespace MirrorController.Firmware.Nvm;

/// <summary>EEPROM 24LC256, AT24C256 and their like: writes page by page, each followed by a write cycle during which the chip does not answer.</summary>
public sealed class At24Eeprom : I2cNvm
{
    /// <summary>The size of a 24LC256.</summary>
    public const int Lc256Bytes = 32768;

    /// <summary>The page of a 24LC256.</summary>
    public const int Lc256PageBytes = 64;

    private const int WriteCycleMaxMs = 25;
    private readonly byte[] _message;

    /// <inheritdoc cref="I2cNvm(ILoop, I2cDevice, int, Worker?)"/>
    public At24Eeprom(ILoop loop, I2cDevice device, Worker? worker, int sizeBytes = Lc256Bytes, int pageBytes = Lc256PageBytes)
        : base(loop, device, sizeBytes, worker)
    {
        PageBytes = pageBytes;
        _message = new byte[pageBytes + 2];
    }

    /// <inheritdoc/>
    public override string Kind => "eeprom 24LC256";

    /// <inheritdoc/>
    public override int PageBytes { get; }

    /// <inheritdoc/>
    protected override void WriteNow(int address, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            // Beyond the end of its page a write would go on at the page's start.
            var part = Math.Min(data.Length, PageBytes - (address % PageBytes));
            _message[0] = (byte)(address >> 8);
            _message[1] = (byte)address;
            data[..part].CopyTo(_message.AsSpan(2));
            Device.Write(_message.AsSpan(0, part + 2));
            WaitForAnswer(address);
            data = data[part..];
            address += part;
        }
    }

    /// <summary>Polls until the chip acknowledges its address again: the write cycle is over.</summary>
    private void WaitForAnswer(int address)
    {
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                Device.Write([(byte)(address >> 8), (byte)address]);
                return;
            }
            catch (IOException e)
            {
                if (Stopwatch.GetElapsedTime(begun).TotalMilliseconds >= WriteCycleMaxMs)
                {
                    throw new IOException($"the chip did not answer within {WriteCycleMaxMs} ms after a write: {e.Message}", e);
                }
            }

            Thread.Sleep(1);
        }
    }
}
