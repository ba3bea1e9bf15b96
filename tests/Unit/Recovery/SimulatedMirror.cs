using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Recovery;
using MirrorController.Protocol.Tags;

namespace MirrorController.Tests.Unit.Recovery;

/// <summary>How a plan is made: the planner, or a wrong rule that a test shows to lose data.</summary>
internal delegate CopyPlan PlanMaker(IReadOnlyList<MemberTable> members, uint session);

/// <summary>A coordinator and its boards, step by step, as rules W1 to B4 let them go; then a reconciliation by a plan.</summary>
internal sealed class SimulatedMirror
{
    private readonly int _blocks;
    private readonly SortedDictionary<Tag, Write> _writes = [];
    private readonly List<Tag>[] _toSend;
    private readonly HashSet<Tag>[] _replied;
    private readonly Tag[] _replayUntil;
    private ulong _sequence;
    private readonly Tag[] _opened;
    private Tag[] _certain = [];
    private bool _powerLost;

    public SimulatedMirror(int members, int blocks)
    {
        _blocks = blocks;
        Boards = [.. Enumerable.Range(0, members).Select(m => new SimulatedBoard(m, blocks))];
        _toSend = [.. Boards.Select(_ => new List<Tag>())];
        _replied = [.. Boards.Select(_ => new HashSet<Tag>())];
        _replayUntil = new Tag[members];
        _opened = new Tag[blocks * SimulatedBoard.SectorsPerBlock];
    }

    public SimulatedBoard[] Boards { get; }

    public uint Session { get; private set; } = 1;

    /// <summary>Gets what was acknowledged in this session.</summary>
    public IEnumerable<Tag> Acknowledged => _writes.Where(w => w.Value.Acknowledged).Select(w => w.Key);

    /// <summary>W1, W2: no overlapping write is in flight; the tag is drawn and the write goes to every board.</summary>
    public void Issue(BlockRange range, bool fua = false)
    {
        if (_writes.Values.Any(w => !w.Acknowledged && w.Range.Overlaps(range)))
        {
            return;
        }

        var tag = Tag.Of(Session, ++_sequence);
        _writes.Add(tag, new Write(range, fua));
        foreach (var queue in _toSend)
        {
            queue.Add(tag);
        }
    }

    /// <summary>A board takes its next step: the entry of the next write, or the data of the last entry, and then it replies.</summary>
    public void Step(int member)
    {
        var board = Boards[member];
        if (board.Pending is { } pending)
        {
            board.ApplyPending();
            Reply(member, pending);
        }
        else if (_toSend[member].Count > 0)
        {
            var tag = _toSend[member][0];
            _toSend[member].RemoveAt(0);
            if (board.HasSure(tag))
            {
                Reply(member, tag);
            }
            else
            {
                board.StoreEntry(tag, _writes[tag].Range, _writes[tag].Fua);
            }
        }
    }

    /// <summary>D1 with the low watermark; B4: not while the board's replay lasts.</summary>
    public void Flush(int member)
    {
        if (_writes.Keys.Any(t => t <= _replayUntil[member] && !_replied[member].Contains(t)))
        {
            return;
        }

        var low = Boards[member].Durable;
        foreach (var tag in _writes.Keys)
        {
            if (!_replied[member].Contains(tag))
            {
                break;
            }

            low = tag;
        }

        Boards[member].Flush(low);
    }

    /// <summary>D4, D5.</summary>
    public void Retire(int member) => Boards[member].Retire(Boards.Min(b => b.Durable));

    /// <summary>B2: all above D is sent again, in tag order.</summary>
    public void CutBoard(int member, Func<int, int> choose)
    {
        _powerLost = true;
        var board = Boards[member];
        board.LosePower(choose);
        _replied[member].RemoveWhere(t => t > board.Durable);
        _toSend[member] = [.. _writes.Keys.Where(t => t > board.Durable)];
        _replayUntil[member] = _writes.Count == 0 ? Tag.None : _writes.Keys.Last();
    }

    /// <summary>The coordinator vanishes; a new session fences the boards, which apply what they had accepted (O2), and reconciles.</summary>
    /// <param name="plan">Who plans.</param>
    /// <param name="choose">Chooses among n; 0 where nothing is left to choose: no fault.</param>
    /// <param name="unreadable">Whether member 0 may lose the power to read a block.</param>
    public void CrashHostAndRecover(PlanMaker plan, Func<int, int> choose, bool unreadable = false)
    {
        foreach (var board in Boards)
        {
            board.ApplyPending();
        }

        Session++;
        var flushed = Boards.Min(b => b.Durable);
        const int attemptsMax = 5;
        for (var attempt = 1; !Attempt(plan, attempt < attemptsMax ? choose : _ => 0, unreadable); attempt++)
        {
            Assert.True(attempt < attemptsMax, "an attempt without a fault ends well");
        }

        CheckEnd(Floor(flushed));
        _writes.Clear();
        _sequence = 0;
        _powerLost = false;
        for (var m = 0; m < Boards.Length; m++)
        {
            _toSend[m].Clear();
            _replied[m].Clear();
            _replayUntil[m] = Tag.None;
        }
    }

    private void Reply(int member, Tag tag)
    {
        _replied[member].Add(tag);
        if (_replied.All(r => r.Contains(tag)))
        {
            _writes[tag].Acknowledged = true;
        }
    }

    /// <summary>
    /// Per sector, the oldest version that may be there in the end: what was acknowledged and flushed, or FUA; and all that was
    /// acknowledged, if no board lost its power; else what was there when the session opened.
    /// </summary>
    private Tag[] Floor(Tag flushed)
    {
        var floor = (Tag[])_opened.Clone();
        foreach (var (tag, write) in _writes)
        {
            if (write.Acknowledged && (tag <= flushed || write.Fua || !_powerLost))
            {
                for (var s = (int)write.Range.Start * SimulatedBoard.SectorsPerBlock; s < write.Range.End * SimulatedBoard.SectorsPerBlock; s++)
                {
                    floor[s] = tag;
                }
            }
        }

        return floor;
    }

    /// <returns>False if a fault ended it; the next attempt plans again.</returns>
    private bool Attempt(PlanMaker make, Func<int, int> choose, bool unreadable)
    {
        bool Fault()
        {
            if (choose(8) != 7)
            {
                return false;
            }

            // What was acknowledged without a flush was promised only by the coordinator, which is gone, too.
            _powerLost = true;
            var victims = 1 + choose((1 << Boards.Length) - 1);
            for (var m = 0; m < Boards.Length; m++)
            {
                if ((victims & (1 << m)) != 0)
                {
                    Boards[m].LosePower(choose);
                }
            }

            return true;
        }

        if (Fault())
        {
            return false;
        }

        _certain = [.. _opened.Select((_, s) => Boards.Max(b => b.Certain(s)))];
        var plan = make([.. Boards.Select(b => b.Table())], Session);
        CheckUncovered(plan);
        Assert.Empty(plan.BadRanges);
        foreach (var step in plan.Steps)
        {
            foreach (var target in step.Targets)
            {
                Boards[target].Marks.Add(step.Range);
                for (var block = (int)step.Range.Start; block < step.Range.End; block++)
                {
                    if (unreadable && step.Source == 0 && choose(16) == 15)
                    {
                        Boards[0].Unreadable.Add(new BlockRange(block, 1));
                        return false;
                    }

                    if (choose(32) == 31)
                    {
                        Boards[target].CopyBlock(block, Boards[step.Source], torn: true);
                        Boards[target].LosePower(choose);
                        _powerLost = true;
                        return false;
                    }

                    Boards[target].CopyBlock(block, Boards[step.Source], torn: false);
                }
            }

            if (Fault())
            {
                return false;
            }
        }

        var start = Tag.Of(Session, 0);
        foreach (var phase in new Action<SimulatedBoard>[] { b => b.Sync(), b => b.Flush(start), b => b.Finish(start) })
        {
            foreach (var board in Boards)
            {
                phase(board);
                if (Fault())
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>What neither entry nor mark covers is equal and durable everywhere.</summary>
    private void CheckUncovered(CopyPlan plan)
    {
        for (var sector = 0; sector < _blocks * SimulatedBoard.SectorsPerBlock; sector++)
        {
            var block = new BlockRange(sector / SimulatedBoard.SectorsPerBlock, 1);
            if (!plan.CoveredRanges.Any(r => r.Contains(block)))
            {
                Assert.All(Boards, b => Assert.True(b.IsDurable(sector) && b.Read(sector) == Boards[0].Read(sector), $"{block} is open and differs"));
            }
        }
    }

    private void CheckEnd(Tag[] floor)
    {
        for (var sector = 0; sector < floor.Length; sector++)
        {
            foreach (var board in Boards)
            {
                Assert.True(board.Read(sector) == Boards[0].Read(sector), $"sector {sector} differs on member {board.Member}");
                Assert.True(board.IsDurable(sector), $"sector {sector} is not durable on member {board.Member}");
            }

            var version = Boards[0].Read(sector);
            Assert.True(version >= floor[sector], $"sector {sector} lost {floor[sector]}: it holds {version}");
            Assert.True(version >= _certain[sector], $"sector {sector} lost {_certain[sector]}, which a member certainly held");
            _opened[sector] = Boards[0].Read(sector);
        }
    }

    private sealed class Write(BlockRange range, bool fua)
    {
        public BlockRange Range => range;

        public bool Fua => fua;

        public bool Acknowledged { get; set; }
    }
}
