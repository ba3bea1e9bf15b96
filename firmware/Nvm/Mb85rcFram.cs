using System.Device.I2c;
using MirrorController.Protocol.Seams;
using MirrorController.Runtime;

namespace MirrorController.Firmware.Nvm;

/// <summary>Ferroelectric memory MB85RC256V and its like: no pages, nothing to wait for after a write.</summary>
public sealed class Mb85rcFram : I2cNvm
{
    /// <summary>The size of an MB85RC256V.</summary>
    public const int Mb85rc256vBytes = 32768;

    /// <summary>The bus address under which such chips tell their device id.</summary>
    public const int DeviceIdAddress = 0x7C;

    private const int FujitsuId = 0x00A;
    private const int Mb85rc256vId = 0x510;
    private readonly byte[] _message = new byte[MessageBytesMax];

    /// <inheritdoc cref="I2cNvm(ILoop, I2cDevice, int, Worker?)"/>
    public Mb85rcFram(ILoop loop, I2cDevice device, Worker? worker, int sizeBytes = Mb85rc256vBytes)
        : base(loop, device, sizeBytes, worker)
    {
    }

    /// <inheritdoc/>
    public override string Kind => "fram MB85RC256V";

    /// <inheritdoc/>
    public override int PageBytes => 1;

    /// <summary>Asks for the device id of the chip at a bus address.</summary>
    /// <param name="idDevice">The device at <see cref="DeviceIdAddress"/> on the same bus.</param>
    /// <param name="busAddress">The chip's own address, 0x50 to 0x57.</param>
    /// <returns>Null if it is an MB85RC256V, else one sentence.</returns>
    public static string? CheckDeviceId(I2cDevice idDevice, int busAddress)
    {
        Span<byte> id = stackalloc byte[3];
        try
        {
            idDevice.WriteRead([(byte)(busAddress << 1)], id);
        }
        catch (IOException)
        {
            return $"The chip at I2C address 0x{busAddress:x2} tells no device id: it is no FRAM, or does not answer.";
        }

        var manufacturer = (id[0] << 4) | (id[1] >> 4);
        var product = ((id[1] & 0x0F) << 8) | id[2];
        return manufacturer == FujitsuId && product == Mb85rc256vId
            ? null
            : $"The chip at I2C address 0x{busAddress:x2} is manufacturer 0x{manufacturer:x3}, product 0x{product:x3}, and no MB85RC256V.";
    }

    /// <inheritdoc/>
    protected override void WriteNow(int address, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            var part = Math.Min(data.Length, MessageBytesMax - 2);
            _message[0] = (byte)(address >> 8);
            _message[1] = (byte)address;
            data[..part].CopyTo(_message.AsSpan(2));
            Device.Write(_message.AsSpan(0, part + 2));
            data = data[part..];
            address += part;
        }
    }
}
