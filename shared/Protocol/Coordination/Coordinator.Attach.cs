using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Coordination;

/// <summary>A board comes, or comes back, within this session: attach, forget, replay (rules B1, B2, B4, O1, O2).</summary>
public sealed partial class Coordinator
{
    private bool _beaten;

    private async Task AttachAsync(Member member)
    {
        // Before the session is stored there: an image would take it, and be no older any more at its next try. Whom another
        // session has, this one does not judge: the answer to ATTACH is that it is fenced.
        var found = member.State!;
        if (found.Condition == BoardCondition.Failed)
        {
            // Not an image: what it holds is good. It heals when its board comes back with a chip that works.
            member.Fault = found.Reason;
            member.AwaySinceMicros ??= _loop.NowMicros;
            _signal.Pulse();
            return;
        }

        if ((found.Session == _session || found.Session.Number < _session.Number) && JudgeReturn(member, found) is { } image)
        {
            Refuse(member, image);
            return;
        }

        var session = _session;
        var generation = member.Link.Generation;
        var header = NewFrame(member, Command.Attach);
        header.BootId = member.Link.BootId;
        header.Flags = _options.AuthorityOnly ? FrameFlags.Authority : FrameFlags.None;
        var answer = await member.Link.AskAsync(header, new WireWriter().U64(session.Id));
        if (!answer.Arrived || !member.Link.IsReady || generation != member.Link.Generation || session != _session || IsOver)
        {
            return;
        }

        if (answer.Header.Status == WireStatus.Fenced)
        {
            var sentence = $"Board {member.Board.Name} has session {answer.Header.Watermark} of volume {Name}; session {session.Number} is fenced.";
            if (Phase == CoordinatorPhase.Opening)
            {
                // Openings that met: this one draws a higher number after a pause (O1).
                _log.Info(sentence);
                _beaten = true;
                _signal.Pulse();
            }
            else
            {
                Fence(sentence);
            }

            return;
        }

        var reader = new WireReader(answer.Body);
        var state = answer.Header.Status == WireStatus.Ok ? BoardState.Read(reader) : null;
        var table = state is null ? null : TableReport.Read(reader);
        if (answer.Header.Status == WireStatus.WrongBoot)
        {
            // It started anew since the link was made: the next connection knows its boot.
            member.Link.Reset("it started anew");
            return;
        }

        if (state is null || table is null)
        {
            Refuse(member, $"Board {member.Board.Name} did not take session {session.Number}: {answer.Fault}");
            return;
        }

        if (state.Session != session || state.BootId != header.BootId)
        {
            // Marks of another session or boot cannot be judged, so nothing is taken from them.
            Refuse(
                member,
                $"Board {member.Board.Name} took session {session.Number} under boot {header.BootId} and tells of session {state.Session.Number} and boot {state.BootId}.");
            return;
        }

        member.State = state;
        var old = JudgeReturn(member, state);
        if (old is not null)
        {
            Refuse(member, old);
            return;
        }

        Attached(member, state, table);
    }

    /// <summary>Rule O5a within a session: a member that has less than it had is an image or a clone.</summary>
    private string? JudgeReturn(Member member, BoardState state)
    {
        if (state.Condition != BoardCondition.Member || state.Volume != _volume || state.VolumeName != Name)
        {
            return JudgeAlone(member, state, null, MemberSet.Empty) ?? $"Board {member.Board.Name} does not hold volume {Name} any more.";
        }

        if (state.Member != member.Number || state.SizeBytes != SizeBytes || state.BlockBytes != BlockBytes)
        {
            return $"Board {member.Board.Name} came back as member {state.Member} of {state.SizeBytes} bytes; it was member {member.Number} of {SizeBytes}.";
        }

        // A board that another coordinator has taken meanwhile has marks of that one; asked to attach, it says FENCED.
        var isOurs = state.Session == _session;
        if (isOurs && state.Durable.Session == _session.Number && state.Durable.Sequence >= _buffer.Next)
        {
            return $"Board {member.Board.Name} claims tag {state.Durable} as durable, which was never given.";
        }

        if (isOurs && member.BootId != 0 && state.Durable > Tag.Max(Tag.Of(_session.Number, member.LowSequence), member.Durable))
        {
            return $"Board {member.Board.Name} claims tag {state.Durable} as durable, above all that it has replied to.";
        }

        if (isOurs && _settled && state.Retired > Watermark)
        {
            return $"Board {member.Board.Name} claims tag {state.Retired} as retired, above the watermark {Watermark}.";
        }

        if (member.BootId == 0)
        {
            return null;
        }

        var last = new MemberMarks(
            state.Member, member.Durable, member.Retired, _session.Number, member.StartCounter, member.BootId, InSync: true);
        var now = new MemberMarks(
            state.Member, state.Durable, state.Retired, state.Session.Number, state.StartCounter, state.BootId, InSync: true);
        // The R of every member counts, not only of the one that returns.
        var answers = new List<MemberMarks> { now };
        foreach (var other in _members)
        {
            if (other != member && other.State is { } known)
            {
                answers.Add(new MemberMarks(known.Member, other.Durable, other.Retired, _session.Number, other.StartCounter, other.BootId, InSync: false));
            }
        }

        var blank = RestoredImage.Judge(answers.ToArray(), [last]);
        return blank.Count > 0 ? blank[0].Sentence : null;
    }

    private void Attached(Member member, BoardState state, TableReport table)
    {
        var durable = state.Durable.Session == _session.Number ? state.Durable.Sequence : 0;
        if (member.BootId != state.BootId)
        {
            if (member.BootId != 0)
            {
                _log.Info($"Board {member.Board.Name} has restarted; {_buffer.Count} writes are in the replay buffer, those above {state.Durable} are sent again.");
            }

            // B2: after a restart its replies above D are forgotten, and its tokens mean nothing any more (D4).
            // The tokens of what D covers as well: the new start gives the same numbers to other entries.
            for (var s = _buffer.First; s < _buffer.Next; s++)
            {
                var op = _buffer.Find(s)!;
                op.Tokens[member.Index] = 0;
                if (s > durable)
                {
                    op.Replied &= ~member.Bit;
                }
            }

            member.BootId = state.BootId;
            member.StartCounter = state.StartCounter;
            member.RetiredToken = 0;
            member.LowSequence = durable;
        }

        member.Refusal = null;
        member.Fault = null;
        member.FailedWrites.Clear();
        member.ResendDue.Clear();
        member.ResendDue.Clear();
        member.FlushInFlight = false;
        member.WatermarkSent = state.Retired;
        member.Capacity = state.CapacityEntries;
        member.OlderEntries = CountOlder(table);
        member.Retired = Tag.Max(member.Retired, state.Retired);
        member.Attached = true;
        AdvanceLow(member);
        if (_settled)
        {
            NoteDurable(member, state.Durable);
        }
        else
        {
            member.Durable = state.Durable;
        }

        member.ReplayThrough = _buffer.Next - 1;
        member.Cursor = _buffer.First;
        SendBacklog(member);
        CheckReplay(member);
        PumpWrites();
        _signal.Pulse();
    }

    private int CountOlder(TableReport table)
    {
        var count = 0;
        foreach (var entry in table.Entries)
        {
            if (entry.Tag.Session < _session.Number)
            {
                count++;
            }
        }

        return count;
    }

    /// <summary>Rule B4: when everything resent has been replied to, the board is told, by its boot id, that it may be read.</summary>
    private void CheckReplay(Member member)
    {
        if (member.Attached && !member.Readable && !member.ReplayDoneAsked && member.LowSequence >= member.ReplayThrough)
        {
            member.ReplayDoneAsked = true;
            Guard(EndReplayAsync(member));
        }
    }

    private async Task EndReplayAsync(Member member)
    {
        var boot = member.BootId;
        var generation = member.Link.Generation;
        var answer = await member.Link.AskAsync(NewFrame(member, Command.ReplayDone));
        if (!member.Attached || member.BootId != boot || generation != member.Link.Generation || !answer.Arrived)
        {
            return;
        }

        member.ReplayDoneAsked = false;
        if (answer.Header.Status != WireStatus.Ok)
        {
            member.Link.Reset($"it did not end its replay: {answer.Fault}");
            return;
        }

        member.Readable = true;
        if (member.FailedWrites.Count == 0)
        {
            member.AwaySinceMicros = null;
        }

        AskHomelessReads();
        PumpFlush(member);
        SendRetirement();
        _signal.Pulse();
    }

    /// <summary>The member answers and is not used: it is treated as one that stays away, nothing is written to it.</summary>
    private void Refuse(Member member, string sentence)
    {
        member.AwaySinceMicros ??= _loop.NowMicros;
        if (member.Refusal != sentence)
        {
            member.Refusal = sentence;
            _log.Error($"{sentence} It counts as away. {Remedy(member)}");
        }

        _signal.Pulse();
    }
}
