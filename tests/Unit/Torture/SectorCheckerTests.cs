using MirrorController.HostAgent.Rig.Torture;

namespace MirrorController.Tests.Unit.Torture;

/// <summary>The checker finds each kind of wrong sector, and takes what a power cut may leave.</summary>
public class SectorCheckerTests
{
    private const int Bytes = SectorPattern.SectorBytes;
    private readonly SectorChecker _checker = new(seed: 5, sizeBytes: 64 * Bytes);

    [Fact]
    public void A_new_volume_is_zero()
    {
        Assert.Null(Read(3, new byte[Bytes]));
        Assert.NotNull(Read(3, Enumerable.Repeat((byte)1, Bytes).ToArray()));
    }

    [Fact]
    public void While_the_host_lives_a_read_returns_the_last_acknowledged_write()
    {
        var first = Acknowledged(3);
        var second = Acknowledged(3);

        Assert.Null(Read(3, Data(second)));
        Assert.Contains("version 1", Read(3, Data(first))!.Sentence, StringComparison.Ordinal);
        Assert.NotNull(Read(3, new byte[Bytes]));
    }

    [Fact]
    public void Of_two_writes_in_flight_together_either_may_be_the_later_one_until_a_read_tells()
    {
        var a = _checker.BeginWrite(3, 1, fua: false);
        var b = _checker.BeginWrite(3, 1, fua: false);
        _checker.EndWrite(b);
        _checker.EndWrite(a);

        Assert.Null(Read(3, Data(b)));
        Assert.Null(Read(3, Data(b)));
        Assert.NotNull(Read(3, Data(a)));
    }

    [Fact]
    public void A_read_that_was_in_flight_may_return_what_a_later_write_replaced()
    {
        var first = Acknowledged(3, fua: true);
        var read = _checker.BeginRead();
        Acknowledged(3, fua: true);

        Assert.Null(_checker.EndRead(read, 3, Data(first)));
        Assert.NotNull(Read(3, Data(first)));
    }

    [Fact]
    public void What_a_read_returned_is_not_taken_back_by_a_later_read()
    {
        var old = Acknowledged(3);
        var next = _checker.BeginWrite(3, 1, fua: false);

        Assert.Null(Read(3, Data(old)));
        Assert.Null(Read(3, Data(next)));
        Assert.NotNull(Read(3, Data(old)));
    }

    [Fact]
    public void A_death_of_the_host_leaves_the_flushed_version_or_any_later_one()
    {
        Acknowledged(3);
        var flushed = Acknowledged(3);
        Flush();
        var later = Acknowledged(3);
        var unanswered = _checker.BeginWrite(3, 1, fua: false);
        var possible = new[] { flushed, later, unanswered };
        _checker.EndLife();

        Assert.NotNull(Read(3, new byte[Bytes]));
        Assert.Null(Read(3, Data(possible[1])));
        Assert.NotNull(Read(3, Data(possible[0])));
        Assert.NotNull(Read(3, Data(possible[2])));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void What_the_first_read_after_a_death_found_stays(int which)
    {
        var versions = new[] { Acknowledged(3), Acknowledged(3), _checker.BeginWrite(3, 1, fua: false) };
        _checker.EndLife();

        Assert.Null(Read(3, Data(versions[which])));
        _checker.EndLife();

        for (var i = 0; i < versions.Length; i++)
        {
            Assert.Equal(i == which, Read(3, Data(versions[i])) is null);
        }
    }

    [Fact]
    public void A_flush_covers_only_what_was_acknowledged_before_it_was_issued()
    {
        var before = Acknowledged(3);
        var flush = _checker.BeginFlush();
        Acknowledged(3);
        _checker.EndFlush(flush);
        _checker.EndLife();

        Assert.Null(Read(3, Data(before)));
    }

    [Fact]
    public void Fua_is_kept_without_a_flush()
    {
        var before = Acknowledged(3);
        Acknowledged(3, fua: true);
        _checker.EndLife();

        var fault = Read(3, Data(before))!;

        Assert.Equal(3, fault.Sector);
        Assert.Equal(2, fault.History!.Count);
        Assert.Contains("FUA", fault.History[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Each_sector_of_a_write_is_kept_or_lost_for_itself()
    {
        var write = _checker.BeginWrite(3, 2, fua: false);
        var data = Data(write);
        _checker.EndLife();

        Assert.Null(Read(3, [.. data[..Bytes], .. new byte[Bytes]]));
        Assert.NotNull(Read(3, data));
    }

    [Fact]
    public void A_torn_and_a_foreign_sector_are_recognised()
    {
        var first = Data(Acknowledged(3));
        var second = Data(Acknowledged(3));
        var elsewhere = Data(Acknowledged(4));
        byte[] torn = [.. second[..100], .. first[100..]];

        Assert.Contains("torn", Read(3, torn)!.Sentence, StringComparison.Ordinal);
        Assert.Contains("sector 4", Read(3, elsewhere)!.Sentence, StringComparison.Ordinal);
        var stranger = new SectorChecker(seed: 6, sizeBytes: 64 * Bytes);
        var foreign = new byte[Bytes];
        stranger.Fill(stranger.BeginWrite(3, 1, fua: false), foreign);
        Assert.Contains("did not write", Read(3, foreign)!.Sentence, StringComparison.Ordinal);
    }

    private TortureWrite Acknowledged(long sector, bool fua = false)
    {
        var write = _checker.BeginWrite(sector, 1, fua);
        _checker.EndWrite(write);
        return write;
    }

    private byte[] Data(TortureWrite write)
    {
        var data = new byte[write.Sectors * Bytes];
        _checker.Fill(write, data);
        return data;
    }

    private void Flush() => _checker.EndFlush(_checker.BeginFlush());

    private TortureFault? Read(long sector, byte[] data) => _checker.EndRead(_checker.BeginRead(), sector, data);
}
