using System.Buffers.Binary;
using MirrorController.Firmware.Disks;
using MirrorController.Firmware.Nvm;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;
using MirrorController.Runtime;

namespace MirrorController.Tests.Fuzz.Targets;

/// <summary>The side files in which the emulations keep what a power cut would lose.</summary>
internal static class SideFiles
{
    public static IEnumerable<FuzzTarget> All => [new CacheFiles(), new RunningWrites()];

    /// <summary>A disk's emulated cache: opened over a medium of 64 KiB, and settled.</summary>
    private sealed class CacheFiles() : FuzzTarget("cache-file", "a rig's folder")
    {
        private const int Sector = CacheLog.SectorBytes;
        private const int BootIdAt = 24;
        private const int MediumBytes = 64 * 1024;

        public override int CheckInRuns => 700;

        public override int InputBytesMax => 64 * Sector;

        public override long AllocationFixedBytes => 256 * 1024;

        public override IEnumerable<byte[]> Seeds()
        {
            var path = FuzzFolder.File("seed.cache");
            File.Delete(path);
            using (var log = new CacheLog(path, 32 * Sector))
            {
                log.Append(3, Payload.Take(Slice.Copy(new byte[3 * Sector])));
                log.Append(CacheRecordKind.Zero, 4, 2);
                log.Append(CacheRecordKind.Dropped, 5, 1);
                log.Append(100, Payload.Take(Slice.Copy(new byte[Sector])));
            }

            return [File.ReadAllBytes(path)];
        }

        public override void Seal(Span<byte> input)
        {
            for (var at = Sector; at + 40 <= input.Length;)
            {
                var record = input[at..];
                var count = BinaryPrimitives.ReadInt64LittleEndian(record[24..]);
                var data = at + Sector;
                var isData = BinaryPrimitives.ReadUInt32LittleEndian(record[4..]) == (uint)CacheRecordKind.Data;
                var fits = isData && data <= input.Length && count >= 0 && count <= (input.Length - data) / Sector;
                if (fits)
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(record[32..], Crc32C.Compute(input.Slice(data, (int)count * Sector)));
                }

                BinaryPrimitives.WriteUInt32LittleEndian(record[36..], Crc32C.Compute(record[..36]));
                at = data + (fits ? (int)count * Sector : 0);
            }
        }

        public override bool Run(ReadOnlySpan<byte> input)
        {
            // The boot id is this system's, so that an input says the same everywhere; a last odd byte leaves it as it is.
            var bytes = input.ToArray();
            if (bytes.Length >= BootIdAt + 16 && bytes.Length % 2 == 0 && File.Exists("/proc/sys/kernel/random/boot_id"))
            {
                Guid.Parse(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()).TryWriteBytes(bytes.AsSpan(BootIdAt));
            }

            var loop = new NbdLoop();
            var path = FuzzFolder.Write("disk.cache", bytes);
            var medium = FuzzFolder.File("disk.img");
            File.Delete(medium);
            var disk = FileDisk.Create(loop, medium, MediumBytes);
            try
            {
                VolatileCacheDisk.Open(loop, disk, path, new Fixed(), loop, 8 * Sector).Close();
                return loop.Sentences > 0;
            }
            catch (IOException e) when (e.Message.Length > 0)
            {
                disk.Close();
                return false;
            }
        }
    }

    /// <summary>The bus transaction that was running when an emulated chip lost its power.</summary>
    private sealed class RunningWrites() : FuzzTarget("chip-side-file", "a rig's folder")
    {
        private const int HeaderBytes = 16;

        public override int CheckInRuns => 700;

        public override int InputBytesMax => HeaderBytes + (2 * 32768);

        public override long AllocationFixedBytes => 128 * 1024;

        public override IEnumerable<byte[]> Seeds()
        {
            var bytes = new byte[HeaderBytes + 64];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, 0x4E55524D);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), 100);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), 32);
            Seal(bytes);
            return [bytes];
        }

        public override void Seal(Span<byte> input)
        {
            if (input.Length < HeaderBytes)
            {
                return;
            }

            var length = BinaryPrimitives.ReadInt32LittleEndian(input[8..]);
            if (length > 0 && length <= (input.Length - HeaderBytes) / 2)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(input[12..], Crc32C.Compute(input.Slice(HeaderBytes, 2 * length)));
            }
        }

        public override bool Run(ReadOnlySpan<byte> input)
        {
            var loop = new NbdLoop();
            var chip = FuzzFolder.File("nvm.img");
            if (!File.Exists(chip))
            {
                FuzzFolder.Write("nvm.img", new byte[32768]);
            }

            FuzzFolder.Write("nvm.img.running", input);
            if (!EmulatedFram.TryOpen(chip, 0x50, false, 5, loop, out var device, out var fault))
            {
                return fault.Length > 0 ? false : throw new InvalidOperationException("refused without a sentence");
            }

            device.Dispose();
            return loop.Sentences > 0;
        }
    }

    private sealed class Fixed : IRandomSource
    {
        public void Fill(Span<byte> bytes) => bytes.Fill(0x5A);
    }
}
