using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using MirrorController.Protocol;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Disks;

/// <summary>What a record of a cache log tells.</summary>
internal enum CacheRecordKind
{
    /// <summary>Sectors were written; their data follow.</summary>
    Data = 1,

    /// <summary>Sectors were zeroed.</summary>
    Zero = 2,

    /// <summary>Sectors were written through: older versions of them are gone.</summary>
    Dropped = 3,
}

/// <summary>A record of a cache log.</summary>
internal readonly record struct CacheRecord(CacheRecordKind Kind, long FirstSector, long SectorCount, int Position);

/// <summary>The side file that holds the volatile cache of an emulated disk, so that it outlives the process and can be settled.</summary>
/// <remarks>
/// The file is mapped: what was stored is the system's from that moment on, however the process ends. All little-endian:
/// <code>
/// header, sector 0           magic 8, version 4, reserved 4, generation 8, boot id 16
/// record, one sector, then   magic 4, kind 4, generation 8, first sector 8, sector count 8, CRC32C of the data 4,
///   its data                 CRC32C of these 36 bytes 4
/// </code>
/// A record is stored after its data, so a death in between leaves no record. The log is emptied by raising the
/// generation, one aligned store: records of another generation are no records.
/// The boot id tells whether the system itself has restarted since: then the mapped pages may be gone in any order, and so
/// is the whole cache; the data file alone is what a power cut has left.
/// </remarks>
internal sealed unsafe class CacheLog : IDisposable
{
    public const int SectorBytes = 512;

    private const ulong HeaderMagic = 0x31474F4C_48434143; // "CACHLOG1"
    private const uint RecordMagic = 0x52484343; // "CCHR"
    private const uint FormatVersion = 1;
    private const int GenerationAt = 16;
    private const int BootIdAt = 24;
    private const int RecordBytes = 40;
    private const int SectorsMin = 8;

    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private readonly int _sectors;
    private int _next = 1;
    private ulong _generation;

    /// <summary>Opens the side file, or makes it, with room for so many bytes.</summary>
    /// <exception cref="IOException">It cannot be opened, or the file system has no room for it.</exception>
    public CacheLog(string path, int sizeBytes)
    {
        if (!File.Exists(path) || new FileInfo(path).Length == 0)
        {
            Make(path, sizeBytes);
        }

        // An existing file keeps its size: what is in it has to be settled.
        _sectors = (int)(Math.Min(new FileInfo(path).Length, int.MaxValue) / SectorBytes);
        if (_sectors < SectorsMin)
        {
            throw new IOException($"The cache file {path} is too small.");
        }

        _map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0);
        _view = _map.CreateViewAccessor(0, (long)_sectors * SectorBytes);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _start = start + _view.PointerOffset;
        OpenHeader();
    }

    /// <summary>Gets whether the system has restarted since the log was written, so that the log was emptied.</summary>
    public bool WasOfAnotherBoot { get; private set; }

    /// <summary>Gets whether nothing is in the log.</summary>
    public bool IsEmpty => _next == 1;

    /// <summary>Gets the sectors that the largest record could still have.</summary>
    public int RoomSectors => _sectors - _next - 1;

    /// <summary>Gets the sectors that the largest record of an empty log can have.</summary>
    public int CapacitySectors => _sectors - 2;

    /// <summary>Gets sectors at a position that appending returned.</summary>
    public Span<byte> At(int position, long sectorCount) => new(_start + ((long)position * SectorBytes), checked((int)(sectorCount * SectorBytes)));

    /// <summary>Appends written sectors and returns the position of their data.</summary>
    public int Append(long firstSector, Payload payload)
    {
        var count = payload.Length / SectorBytes;
        Invariant.Check(count * SectorBytes == payload.Length && count <= RoomSectors, "a cache log takes whole sectors that it has room for");
        var position = _next + 1;
        payload.CopyTo(0, At(position, count));
        Store(new CacheRecord(CacheRecordKind.Data, firstSector, count, position), Crc32C.Compute(At(position, count)));
        _next = position + count;
        return position;
    }

    /// <summary>Appends a record without data.</summary>
    public void Append(CacheRecordKind kind, long firstSector, long sectorCount)
    {
        Invariant.Check(kind != CacheRecordKind.Data && RoomSectors >= 0, "a cache log has room for a record");
        Store(new CacheRecord(kind, firstSector, sectorCount, _next + 1), 0);
        _next++;
    }

    /// <summary>Empties the log.</summary>
    public void Reset()
    {
        _generation++;
        Volatile.Write(ref *(ulong*)(_start + GenerationAt), _generation);
        _next = 1;
    }

    /// <summary>Reads the records of this generation, in order; the first that is not whole, or not of the disk, ends them.</summary>
    /// <param name="diskSectors">The disk's size in sectors.</param>
    public List<CacheRecord> ReadAll(long diskSectors)
    {
        var records = new List<CacheRecord>();
        _next = 1;
        while (_next < _sectors && TryRead(_next, diskSectors, out var record))
        {
            records.Add(record);
            _next = record.Position + (record.Kind == CacheRecordKind.Data ? (int)record.SectorCount : 0);
        }

        return records;
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.SafeMemoryMappedViewHandle.Dispose();
        _map.Dispose();
    }

    private static void Make(string path, int sizeBytes)
    {
        File.Delete(path);
        // Room is taken at once: a mapped file without room ends the process where it is written.
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.None, sizeBytes);
        if (RandomAccess.GetLength(file) < sizeBytes)
        {
            RandomAccess.SetLength(file, sizeBytes);
        }
    }

    private static byte[] BootId()
    {
        const string Path = "/proc/sys/kernel/random/boot_id";
        // Elsewhere a restart of the system is not recognised; there the emulator stands for the process's death only.
        return File.Exists(Path) && Guid.TryParse(File.ReadAllText(Path).Trim(), out var id) ? id.ToByteArray() : new byte[16];
    }

    private void OpenHeader()
    {
        var bootId = BootId();
        var storedBootId = new Span<byte>(_start + BootIdAt, 16);
        var isNew = *(ulong*)_start != HeaderMagic;
        if (!isNew && *(uint*)(_start + 8) != FormatVersion)
        {
            throw new IOException($"The cache file has format {*(uint*)(_start + 8)}, this program knows {FormatVersion}.");
        }

        _generation = *(ulong*)(_start + GenerationAt);
        if (!isNew && storedBootId.SequenceEqual(bootId))
        {
            return;
        }

        WasOfAnotherBoot = !isNew;
        Reset();
        bootId.CopyTo(storedBootId);
        *(uint*)(_start + 8) = FormatVersion;
        Volatile.Write(ref *(ulong*)_start, HeaderMagic);
    }

    private void Store(CacheRecord record, uint dataCrc)
    {
        var header = new Span<byte>(_start + ((long)_next * SectorBytes), RecordBytes);
        Span<byte> bytes = stackalloc byte[RecordBytes];
        MemoryMarshal.Write(bytes, RecordMagic);
        MemoryMarshal.Write(bytes[4..], (uint)record.Kind);
        MemoryMarshal.Write(bytes[8..], _generation);
        MemoryMarshal.Write(bytes[16..], record.FirstSector);
        MemoryMarshal.Write(bytes[24..], record.SectorCount);
        MemoryMarshal.Write(bytes[32..], dataCrc);
        MemoryMarshal.Write(bytes[36..], Crc32C.Compute(bytes[..36]));
        bytes.CopyTo(header);
    }

    private bool TryRead(int at, long diskSectors, out CacheRecord record)
    {
        var bytes = new ReadOnlySpan<byte>(_start + ((long)at * SectorBytes), RecordBytes);
        record = new CacheRecord(
            (CacheRecordKind)MemoryMarshal.Read<uint>(bytes[4..]),
            MemoryMarshal.Read<long>(bytes[16..]),
            MemoryMarshal.Read<long>(bytes[24..]),
            at + 1);
        return MemoryMarshal.Read<uint>(bytes) == RecordMagic
            && MemoryMarshal.Read<ulong>(bytes[8..]) == _generation
            && MemoryMarshal.Read<uint>(bytes[36..]) == Crc32C.Compute(bytes[..36])
            && record.Kind is CacheRecordKind.Data or CacheRecordKind.Zero or CacheRecordKind.Dropped
            && record.FirstSector >= 0 && record.SectorCount > 0 && record.SectorCount <= diskSectors - record.FirstSector
            && (record.Kind != CacheRecordKind.Data
                || (record.SectorCount <= _sectors - at - 1
                    && MemoryMarshal.Read<uint>(bytes[32..]) == Crc32C.Compute(At(record.Position, record.SectorCount))));
    }
}
