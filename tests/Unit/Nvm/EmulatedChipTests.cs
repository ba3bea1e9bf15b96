using System.Buffers.Binary;
using MirrorController.Firmware.Nvm;
using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Wire;

namespace MirrorController.Tests.Unit.Nvm;

/// <summary>The drivers on emulated chips in files.</summary>
public sealed class EmulatedChipTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mirror-nvm").FullName;
    private readonly TestLoop _loop = new();
    private readonly StoreRig _helper = new(new byte[1], 1);

    private string ChipPath => Path.Combine(_folder, "chip");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_store_on_an_emulated_chip_survives_closing_and_opening(bool isEeprom)
    {
        using (var chip = Open(isEeprom))
        {
            var store = new NvmStore(_loop, chip, _helper, _helper);
            Assert.Equal(NvmOpenState.Blank, _loop.Run(store.OpenAsync).State);
            Assert.True(_loop.Run(() => store.FormatAsync(1)).IsOk);
            Assert.True(_loop.Run(store.StartAsync).IsOk);
            Assert.True(_loop.Run(() => store.CreateVolumeAsync(0, StoreRig.Record())).IsOk);
            var entry = store.Volume(0)!.Table.NewEntry();
            (entry.Tag, entry.Range) = (new(5), new(7, 1));
            store.AppendEntry(0, entry);
            var outcome = new StoreRig.Outcome();
            _loop.Within(() => store.Commit(outcome));
            _loop.RunTurn();
            Assert.True(outcome.Ended && outcome.Status.IsOk, "a chip without timing ends within the turn");
        }

        using var again = Open(isEeprom);
        var reopened = new NvmStore(_loop, again, _helper, _helper);
        Assert.Equal(NvmOpenState.Ok, _loop.Run(reopened.OpenAsync).State);
        Assert.Equal(7, reopened.Volume(0)!.Table[0].Range.Start);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_transaction_under_way_when_the_process_died_stops_at_some_byte(bool isEeprom)
    {
        Open(isEeprom).Dispose();
        var image = File.ReadAllBytes(ChipPath);
        var stops = new HashSet<int>();
        for (var seed = 0; seed < 60; seed++)
        {
            File.WriteAllBytes(ChipPath, image);
            LeaveTransaction(address: 128, length: 16);
            Assert.True(EmulatedNvm.TryOpen(_loop, isEeprom, ChipPath, false, seed, _helper, out var chip, out var fault), fault);
            chip.Dispose();
            var settled = File.ReadAllBytes(ChipPath);
            Assert.True(settled.AsSpan(0, 128).SequenceEqual(image.AsSpan(0, 128)));
            var behind = isEeprom ? 192 : 144;
            Assert.True(settled.AsSpan(behind).SequenceEqual(image.AsSpan(behind)));
            if (!isEeprom)
            {
                var stored = settled.AsSpan(128, 16).IndexOfAnyExcept((byte)0xAB);
                stored = stored < 0 ? 16 : stored;
                Assert.False(settled.AsSpan(128 + stored, 16 - stored).ContainsAnyExcept((byte)0));
                _ = stops.Add(stored);
            }
        }

        Assert.True(isEeprom || (stops.Contains(0) && stops.Contains(16) && stops.Count > 8));
        Assert.Contains(_helper.Log, line => line.Contains("seed 3", StringComparison.Ordinal));
    }

    [Fact]
    public void A_second_user_of_the_file_is_refused()
    {
        using var chip = Open(false);
        Assert.False(EmulatedNvm.TryOpen(_loop, false, ChipPath, false, 1, _helper, out _, out var fault));
        Assert.Contains(ChipPath, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_another_size_is_refused_and_left_alone()
    {
        File.WriteAllBytes(ChipPath, new byte[100]);
        Assert.False(EmulatedNvm.TryOpen(_loop, false, ChipPath, false, 1, _helper, out _, out var fault));
        Assert.Contains("32768", fault, StringComparison.Ordinal);
        Assert.Equal(100, new FileInfo(ChipPath).Length);
    }

    [Fact]
    public void A_fram_rolls_over_at_its_end_and_an_eeprom_within_its_page()
    {
        Assert.True(EmulatedFram.TryOpen(ChipPath, 0x50, false, 1, _helper, out var fram, out var fault), fault);
        using (fram)
        {
            fram.Write([0x7F, 0xFF, 1, 2]);
            var got = new byte[1];
            fram.WriteRead([0, 0], got);
            Assert.Equal(2, got[0]);
        }

        Assert.True(EmulatedEeprom.TryOpen(ChipPath + "2", 0x50, false, 1, _helper, out var eeprom, out fault), fault);
        using (eeprom)
        {
            eeprom.Write([0, 127, 1, 2]);
            var got = new byte[2];
            eeprom.WriteRead([0, 64], got);
            Assert.Equal([2, 0xFF], got);
        }
    }

    [Fact]
    public void An_eeprom_in_its_write_cycle_does_not_answer_and_the_driver_waits_for_it()
    {
        Assert.True(EmulatedEeprom.TryOpen(ChipPath, 0x50, true, 1, _helper, out var eeprom, out var fault), fault);
        using var chip = new At24Eeprom(_loop, eeprom, null);
        eeprom.Write([0, 0, 9]);
        Assert.Throws<IOException>(() => eeprom.Write([0, 0]));
        var outcome = new StoreRig.Outcome();
        while (true)
        {
            try
            {
                eeprom.Write([0, 0]);
                break;
            }
            catch (IOException)
            {
                // Still in its write cycle of 5 ms.
            }
        }

        chip.Write(60, new byte[] { 1, 2, 3, 4, 5, 6, 7, 8 }, outcome);
        _loop.RunAll();
        Assert.True(outcome.Ended && outcome.Status.IsOk, outcome.Status.Fault);
        var got = new byte[8];
        eeprom.WriteRead([0, 60], got);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], got);
    }

    private I2cNvm Open(bool isEeprom)
    {
        Assert.True(EmulatedNvm.TryOpen(_loop, isEeprom, ChipPath, false, 1, _helper, out var chip, out var fault), fault);
        return chip;
    }

    private void LeaveTransaction(int address, int length)
    {
        var side = new byte[16 + (2 * length)];
        "MRUN"u8.CopyTo(side);
        BinaryPrimitives.WriteInt32LittleEndian(side.AsSpan(4), address);
        BinaryPrimitives.WriteInt32LittleEndian(side.AsSpan(8), length);
        side.AsSpan(16, length).Fill(0xAB);
        BinaryPrimitives.WriteUInt32LittleEndian(side.AsSpan(12), Crc32C.Compute(side.AsSpan(16)));
        File.WriteAllBytes(ChipPath + ".running", side);
    }
}
