using System.Buffers.Binary;

namespace MirrorController.Tests.Unit.Disks;

/// <summary>What each sector of an emulated disk may hold, beside the disk itself.</summary>
internal sealed class DiskModel(VolatileCacheRig rig)
{
    public const int Sectors = 96;
    public const int Death = 11;

    private readonly HashSet<long>[] _allowed = Enumerable.Range(0, Sectors).Select(_ => new HashSet<long> { 0 }).ToArray();
    private readonly long[] _newest = new long[Sectors];
    private long _version;

    public void Step(int kind, int first, int count)
    {
        switch (kind)
        {
            case < 6:
                Assert.True(rig.Write(first * 512, Version(count)).IsOk);
                Wrote(first, count, _version, forGood: false);
                break;
            case 6:
                Assert.True(rig.WriteSync(first * 512, Version(count)).IsOk);
                Wrote(first, count, _version, forGood: true);
                break;
            case 7:
                Assert.True(rig.Zero(first * 512, count * 512).IsOk);
                Wrote(first, count, 0, forGood: false);
                break;
            case 8:
                Assert.True(rig.Sync().IsOk);
                Wrote();
                break;
            case 9 or 10:
                Assert.Equal(_newest, Read());
                break;
            default:
                rig.Die();
                Survived();
                break;
        }
    }

    private static byte[] Sector(long version)
    {
        var bytes = new byte[512];
        for (var i = 0; i < 512; i += 8)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i), version);
        }

        return bytes;
    }

    private byte[] Version(int count)
    {
        _version++;
        return [.. Enumerable.Range(0, count).SelectMany(_ => Sector(_version))];
    }

    private void Wrote(int first, int count, long version, bool forGood)
    {
        for (var i = first; i < first + count; i++)
        {
            _newest[i] = version;
            if (forGood)
            {
                _allowed[i].Clear();
            }

            _allowed[i].Add(version);
        }
    }

    private void Wrote()
    {
        for (var i = 0; i < Sectors; i++)
        {
            _allowed[i].Clear();
            _allowed[i].Add(_newest[i]);
        }
    }

    private void Survived()
    {
        var found = Read();
        for (var i = 0; i < Sectors; i++)
        {
            Assert.Contains(found[i], _allowed[i]);
            _newest[i] = found[i];
        }

        Wrote();
    }

    private long[] Read() =>
        [.. rig.Read(0, Sectors * 512).Chunk(512).Select(sector =>
        {
            var version = BinaryPrimitives.ReadInt64LittleEndian(sector);
            Assert.Equal(Sector(version), sector);
            return version;
        })];
}
