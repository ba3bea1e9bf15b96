using MirrorController.Tests.Harness.Checker;

namespace MirrorController.Tests.Unit.Checker;

/// <summary>The checker finds each kind of violation, and lets legal histories pass.</summary>
public sealed class ConsistencyCheckerTests
{
    private const int Length = 1024;

    private readonly ConsistencyChecker _checker = new();
    private readonly CheckedSession _session;
    private uint _sessions;

    public ConsistencyCheckerTests()
    {
        _session = Open();
    }

    [Fact]
    public void A_new_volume_is_zeroes() => Read(_session, null);

    [Fact]
    public void A_read_returns_the_acknowledged_version()
    {
        Acknowledged(_session);
        var second = Acknowledged(_session);
        Read(_session, second);
        Assert.True(_checker.JudgedSectors > 0);
        Assert.Null(_checker.Violation);
    }

    [Fact]
    public void A_lost_acknowledged_write_is_found()
    {
        Acknowledged(_session);
        AssertViolation("Rules 3 and 5", () => Read(_session, null));
    }

    [Fact]
    public void An_older_version_than_the_acknowledged_one_is_found()
    {
        var first = Acknowledged(_session);
        Acknowledged(_session);
        AssertViolation("Rules 3 and 5", () => Read(_session, first));
        Assert.NotNull(_checker.Violation);
    }

    [Fact]
    public void A_read_beside_a_write_may_return_either()
    {
        var before = Acknowledged(_session);
        var read = _checker.Read(_session, 0, Length);
        var after = Acknowledged(_session);
        _checker.Complete(read, before.MakeData());
        var other = _checker.Read(_session, 0, Length);
        _checker.Complete(other, after.MakeData());
    }

    [Fact]
    public void A_version_that_a_read_has_returned_does_not_vanish_again()
    {
        var write = _checker.Write(_session, 0, Length);
        Read(_session, write);
        AssertViolation("Rules 3 and 5", () => Read(_session, null));
    }

    [Fact]
    public void Bytes_that_nobody_wrote_are_found()
    {
        var data = Acknowledged(_session).MakeData();
        data[600] ^= 1;
        AssertViolation("nobody wrote", () => _checker.Complete(_checker.Read(_session, 0, Length), data));
    }

    [Fact]
    public void Data_of_another_place_is_found()
    {
        var elsewhere = _checker.Write(_session, 4096, Length);
        AssertViolation("nobody wrote", () => _checker.Complete(_checker.Read(_session, 0, Length), elsewhere.MakeData()));
    }

    [Fact]
    public void A_torn_sector_is_found_and_a_torn_block_is_legal_after_a_crash()
    {
        var first = Acknowledged(_session).MakeData();
        var second = _checker.Write(_session, 0, Length).MakeData();
        var next = Open();
        first.AsSpan(512).CopyTo(second.AsSpan(512));
        _checker.Complete(_checker.Read(next, 0, Length), second);
        var third = _checker.Write(next, 0, Length).MakeData();
        second.AsSpan(0, 128).CopyTo(third);
        AssertViolation("torn sector", () => _checker.Complete(_checker.Read(Open(), 0, Length), third));
    }

    [Fact]
    public void A_crash_may_take_what_was_not_flushed()
    {
        var first = Acknowledged(_session);
        Flush(_session);
        Acknowledged(_session);
        Read(Open(), first);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_crash_may_not_take_what_was_flushed_or_forced(bool fua)
    {
        var first = Acknowledged(_session);
        Acknowledged(_session, fua);
        if (!fua)
        {
            Flush(_session);
        }

        AssertViolation("Rule 2", () => Read(Open(), first));
    }

    [Fact]
    public void A_flush_that_was_issued_before_the_acknowledgement_protects_nothing()
    {
        var flush = _checker.Flush(_session);
        Acknowledged(_session);
        _checker.Complete(flush);
        Read(Open(), null);
    }

    [Fact]
    public void An_unanswered_write_may_have_happened()
    {
        Acknowledged(_session, fua: true);
        var unanswered = _checker.Write(_session, 0, Length);
        Read(Open(), unanswered);
    }

    [Fact]
    public void After_a_crash_every_read_and_every_board_shows_the_same_version()
    {
        var first = Acknowledged(_session);
        var second = Acknowledged(_session);
        var next = Open();
        Read(next, first);
        AssertViolation("same on every read", () => _checker.JudgeBoard("pi-b", 0, second.MakeData()));
    }

    [Fact]
    public void What_a_later_session_has_found_stays_so_in_the_one_after_it()
    {
        var first = Acknowledged(_session);
        var second = Acknowledged(_session);
        Read(Open(), first);
        AssertViolation("Rule 2", () => Read(Open(), second));
    }

    [Fact]
    public void A_session_that_read_nothing_leaves_what_it_found()
    {
        var first = Acknowledged(_session);
        Acknowledged(_session);
        Open();
        Read(Open(), first);
    }

    [Fact]
    public void What_a_later_session_was_shown_is_durable_on_every_board()
    {
        var old = Acknowledged(_session);
        var shown = Acknowledged(_session);
        Read(Open(), shown);
        var bytes = shown.MakeData();
        _checker.JudgeRemains("pi-a", 0, [bytes[..ConsistencyChecker.SectorBytes]]);
        AssertViolation("Rule 2", () => _checker.JudgeRemains("pi-b", 0, [bytes[..ConsistencyChecker.SectorBytes], old.MakeData()[..ConsistencyChecker.SectorBytes]]));
    }

    [Fact]
    public void A_flush_with_nothing_left_to_flush_is_answered_by_a_fenced_coordinator_too()
    {
        Open();
        Flush(_session);
    }

    [Fact]
    public void A_fenced_coordinator_may_finish_what_it_had_begun_but_begins_nothing()
    {
        var begun = _checker.Write(_session, 0, Length);
        Open();
        _checker.Acknowledge(begun);
        var late = _checker.Write(_session, 0, Length);
        AssertViolation("rule 7", () => _checker.Acknowledge(late));
    }

    [Fact]
    public void A_fenced_coordinator_answers_no_new_read()
    {
        Open();
        AssertViolation("rule O2", () => Read(_session, null));
    }

    [Fact]
    public void A_forced_write_acknowledged_late_must_have_been_found_by_the_next_session()
    {
        var begun = _checker.Write(_session, 0, Length, fua: true);
        Read(Open(), null);
        _checker.Acknowledge(begun);
        AssertViolation("Rule 2", _checker.JudgeFound);
    }

    [Fact]
    public void Two_sessions_of_one_number_are_found() =>
        AssertViolation("Rule O1", () => _checker.Opened(_checker.NewSession("a twin"), _sessions));

    [Fact]
    public void A_write_smaller_than_a_sector_changes_its_cells_only()
    {
        var whole = Acknowledged(_session);
        var part = _checker.Write(_session, 128, 192);
        _checker.Acknowledge(part);
        var data = whole.MakeData();
        part.MakeData().CopyTo(data.AsSpan(128));
        _checker.Complete(_checker.Read(_session, 0, Length), data);
        AssertViolation("Rules 3 and 5", () => Read(_session, whole));
    }

    private static void AssertViolation(string rule, Action act)
    {
        var violation = Assert.Throws<ConsistencyViolationException>(act);
        Assert.Contains(rule, violation.Message, StringComparison.Ordinal);
    }

    private CheckedSession Open()
    {
        var session = _checker.NewSession($"life {++_sessions}");
        _checker.Opened(session, _sessions);
        return session;
    }

    private CheckedWrite Acknowledged(CheckedSession session, bool fua = false)
    {
        var write = _checker.Write(session, 0, Length, fua);
        _checker.Acknowledge(write);
        return write;
    }

    private void Flush(CheckedSession session) => _checker.Complete(_checker.Flush(session));

    private void Read(CheckedSession session, CheckedWrite? expected) =>
        _checker.Complete(_checker.Read(session, 0, Length), expected?.MakeData() ?? new byte[Length]);
}
