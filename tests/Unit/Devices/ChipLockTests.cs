using MirrorController.Firmware.Devices;

namespace MirrorController.Tests.Unit.Devices;

/// <summary>A chip belongs to one process; a device file that every machine has stands for the bus.</summary>
public sealed class ChipLockTests
{
    private const string Bus = "/dev/null";

    [Fact]
    public void A_chip_is_used_by_one_board_at_a_time_and_its_neighbours_on_the_bus_by_others()
    {
        if (!OperatingSystem.IsLinux())
        {
            // Elsewhere there is no I2C bus to lock.
            return;
        }

        using (ChipLock.Take(Bus, 0x50))
        {
            using var neighbour = ChipLock.Take(Bus, 0x51);
            using (File.OpenHandle(Bus, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
            {
                // Whoever opens and closes the same bus, as a look at another chip does, undoes nothing.
            }

            var refused = Assert.Throws<IOException>(() => ChipLock.Take(Bus, 0x50));
            Assert.Equal("The chip at address 0x50 of /dev/null is in use by another process.", refused.Message);
        }

        ChipLock.Take(Bus, 0x50).Dispose();
    }
}
