using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;

namespace MirrorController.Tests.Unit.Views;

/// <summary>Rule O5a.</summary>
public sealed class RestoredImageTests
{
    [Fact]
    public void Healthy_members_are_not_taken_for_images()
    {
        Assert.Empty(RestoredImage.Judge([Marks(0, durable: 5, retired: 3), Marks(1, durable: 3, retired: 3)], []));
    }

    [Fact]
    public void A_durable_mark_below_anothers_retired_mark_is_an_image()
    {
        var blank = Assert.Single(RestoredImage.Judge([Marks(0, durable: 5, retired: 4), Marks(1, durable: 3, retired: 3)], []));
        Assert.Equal(1, blank.Member);
        Assert.Contains("member 0", blank.Sentence, StringComparison.Ordinal);
        Assert.Contains("older image", blank.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void The_retired_mark_of_a_member_out_of_sync_counts_too()
    {
        var blank = Assert.Single(RestoredImage.Judge([Marks(0, durable: 3, retired: 3), Marks(1, durable: 9, retired: 7, inSync: false)], []));
        Assert.Equal(0, blank.Member);
    }

    [Fact]
    public void A_member_out_of_sync_is_not_judged_here()
    {
        Assert.Empty(RestoredImage.Judge([Marks(0, durable: 9, retired: 9), Marks(1, durable: 1, retired: 1, inSync: false)], []));
    }

    [Fact]
    public void A_restart_within_a_session_is_healthy()
    {
        var last = Marks(0, durable: 5, retired: 3, starts: 7, boot: 70);
        Assert.Empty(RestoredImage.Judge([Marks(0, durable: 5, retired: 3, starts: 8, boot: 80)], [last]));
        Assert.Empty(RestoredImage.Judge([last], [last]));
        Assert.Empty(RestoredImage.Judge([Marks(1, durable: 1, retired: 1, starts: 1, boot: 1)], [last]));
    }

    [Fact]
    public void An_older_session_within_a_session_is_an_image()
    {
        var blank = RestoredImage.Judge([Marks(0, 5, 3, session: 1, starts: 8, boot: 80)], [Marks(0, 5, 3, starts: 7, boot: 70)]);
        Assert.Contains("session 1 after it had stored 2", Assert.Single(blank).Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lower_durable_mark_within_a_session_is_an_image()
    {
        var blank = RestoredImage.Judge([Marks(0, 4, 3, starts: 8, boot: 80)], [Marks(0, 5, 3, starts: 7, boot: 70)]);
        Assert.Contains("durable up to tag 1.4", Assert.Single(blank).Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(6)]
    public void A_start_counter_that_did_not_grow_under_another_boot_id_is_a_clone(ulong starts)
    {
        var blank = RestoredImage.Judge([Marks(0, 5, 3, starts: starts, boot: 80)], [Marks(0, 5, 3, starts: 7, boot: 70)]);
        Assert.Contains("another boot id", Assert.Single(blank).Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void One_boot_id_with_two_start_counters_is_two_boards()
    {
        var blank = RestoredImage.Judge([Marks(0, 5, 3, starts: 8, boot: 70)], [Marks(0, 5, 3, starts: 7, boot: 70)]);
        Assert.Contains("two boards", Assert.Single(blank).Sentence, StringComparison.Ordinal);
    }

    private static MemberMarks Marks(
        int member, ulong durable, ulong retired, uint session = 2, ulong starts = 1, ulong boot = 10, bool inSync = true) =>
        new(member, Tag.Of(1, durable), Tag.Of(1, retired), session, starts, boot, inSync);
}
