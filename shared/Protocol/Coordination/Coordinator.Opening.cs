using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Coordination;

/// <summary>Opening the volume: all members answer, the newest view decides, a session above all found is stored everywhere (rules O1 to O3, O5a).</summary>
/// <remarks>Ended early by: <see cref="Fence"/>, <see cref="StopAsync"/>, <see cref="Abandon"/>.</remarks>
public sealed partial class Coordinator
{
    private bool _imageSuspected;

    private async Task OpenAsync()
    {
        var pauseMs = _options.OpenRetryFirstMs;
        while (Phase == CoordinatorPhase.Opening)
        {
            if (!await SurveyAsync() || Phase != CoordinatorPhase.Opening)
            {
                continue;
            }

            if (!JudgeFound(out var highest))
            {
                await _signal.ChangedOrAfterAsync(1000);
                continue;
            }

            if (highest >= SessionId.MaxNumber)
            {
                RefuseAll($"Volume {Name} has used up its {SessionId.MaxNumber} sessions and cannot be opened any more.");
                await _signal.ChangedOrAfterAsync(60_000);
                continue;
            }

            _beaten = false;
            _volume = _members[0].State!.Volume;
            _session = new SessionId(highest + 1, _random.NextNonZero());
            foreach (var member in _members)
            {
                Guard(AttachAsync(member));
            }

            while (Phase == CoordinatorPhase.Opening && !_beaten && !AreAllAttached())
            {
                await _signal.ChangedAsync();
            }

            // O5a once more, on what the boards answered when they stored the session: one may have been exchanged since the survey.
            if (Phase == CoordinatorPhase.Opening && !_beaten && !JudgeFound(out _))
            {
                ForgetSession();
                await _signal.ChangedOrAfterAsync(1000);
                continue;
            }

            if (Phase == CoordinatorPhase.Opening && !_beaten)
            {
                _log.Info($"Session {_session.Number} of volume {Name} is open on all {_members.Length} boards.");
                await ReconcileAsync();
            }

            // Beaten before anything was served, be it while the boards took the session or while their tables were collected.
            if (Phase == CoordinatorPhase.Opening && _beaten)
            {
                ForgetSession();
                await _signal.DelayAsync(pauseMs + _random.Next((int)pauseMs));
                pauseMs = Math.Min(pauseMs * 2, _options.OpenRetryMaxMs);
            }
        }
    }

    /// <summary>Asks every board for its state; an opening waits for all of them.</summary>
    private async Task<bool> SurveyAsync()
    {
        foreach (var member in _members)
        {
            if (!member.Link.IsReady)
            {
                await _signal.ChangedAsync();
                return false;
            }
        }

        var asked = new Task<LinkAnswer>[_members.Length];
        foreach (var member in _members)
        {
            asked[member.Index] = member.Link.AskAsync(new FrameHeader { Command = Command.Survey });
        }

        var answers = await Task.WhenAll(asked);
        foreach (var member in _members)
        {
            var answer = answers[member.Index];
            var state = answer.IsOk ? BoardState.Read(new WireReader(answer.Body)) : null;
            if (state is null)
            {
                await _signal.ChangedOrAfterAsync(1000);
                return false;
            }

            member.State = state;
        }

        return true;
    }

    /// <summary>Judges what was found; what stands in the way is on the members, with a sentence each.</summary>
    private bool JudgeFound(out uint highest)
    {
        highest = 0;
        var fine = true;
        BoardState? first = null;
        var numbers = MemberSet.Empty;
        foreach (var member in _members)
        {
            var state = member.State!;
            highest = Math.Max(highest, state.Session.Number);
            if (state.Condition == BoardCondition.Failed)
            {
                // What it holds may be good: it heals when its chip works and its disk is there.
                member.Refusal = null;
                member.Fault = state.Reason;
                fine = false;
                continue;
            }

            member.Fault = null;
            var refusal = JudgeAlone(member, state, first, numbers);
            if (refusal is null)
            {
                first ??= state;
                numbers = numbers.With(state.Member);
            }
            else
            {
                Refuse(member, refusal);
                fine = false;
            }
        }

        if (!fine)
        {
            return false;
        }

        var found = new FoundView[_members.Length];
        var marks = new MemberMarks[_members.Length];
        foreach (var member in _members)
        {
            var s = member.State!;
            found[member.Index] = new FoundView(s.Member, s.View!);
        }

        var judgement = ViewOrder.JudgeUnanimous(found);
        if (judgement.Kind != ViewJudgementKind.Decided)
        {
            RefuseAll(judgement.Sentence);
            return false;
        }

        var view = judgement.View!;
        if (view.InSync != numbers)
        {
            RefuseAll($"Volume {Name} has the members {view.Members}, in sync {view.InSync}, but the configuration names the boards of members {numbers}.");
            return false;
        }

        foreach (var member in _members)
        {
            var s = member.State!;
            marks[member.Index] = new MemberMarks(
                s.Member, s.Durable, s.Retired, s.Session.Number, s.StartCounter, s.BootId, view.InSync.Contains(s.Member));
        }

        var blanks = RestoredImage.Judge(marks, []);
        if (blanks.Count > 0 && !_imageSuspected)
        {
            // While an older host still runs, the boards' marks were read at different moments: look twice.
            _imageSuspected = true;
            return false;
        }

        _imageSuspected = blanks.Count > 0;
        foreach (var blank in blanks)
        {
            fine = false;
            foreach (var member in _members)
            {
                if (member.State!.Member == blank.Member)
                {
                    Refuse(member, $"Board {member.Board.Name}: {blank.Sentence}");
                }
            }
        }

        var geometry = _members[0].State!;
        if (fine && SizeBytes != 0 && (SizeBytes != geometry.SizeBytes || BlockBytes != geometry.BlockBytes))
        {
            // Clients were let in by what the first board said, and their requests wait: they are for another volume.
            RefuseAll($"Volume {Name} was announced with {SizeBytes} bytes, but its boards hold one with {geometry.SizeBytes}: start the agent anew if that is right.");
            return false;
        }

        if (fine)
        {
            _view = view;
            BlockBytes = geometry.BlockBytes;
            SizeBytes = geometry.SizeBytes;
            foreach (var member in _members)
            {
                member.Refusal = null;
                member.Number = member.State!.Member;
            }
        }

        return fine;
    }

    private string? JudgeAlone(Member member, BoardState state, BoardState? first, MemberSet numbers)
    {
        var board = member.Board.Name;
        if (state.Condition == BoardCondition.Blank)
        {
            return $"Board {board} is blank: it holds no volume.";
        }

        if (state.Condition != BoardCondition.Member)
        {
            return $"Board {board} is not usable: {state.Reason}";
        }

        if (state.VolumeName != Name)
        {
            return $"Board {board} holds the volume {state.VolumeName}, not {Name}.";
        }

        if (state.View is null)
        {
            return $"Board {board} has stored no view of volume {Name}: its creation is not complete.";
        }

        if (first is not null && first.Volume != state.Volume)
        {
            return $"Board {board} holds another volume of the name {Name} (id {state.Volume}, board {first.Board} has {first.Volume}).";
        }

        if (numbers.Contains(state.Member))
        {
            return $"Board {board} claims to be member {state.Member}, which another board is already.";
        }

        if (first is not null && (first.SizeBytes != state.SizeBytes || first.BlockBytes != state.BlockBytes))
        {
            return $"Board {board} holds {state.SizeBytes} bytes in blocks of {state.BlockBytes}, board {first.Board} {first.SizeBytes} in blocks of {first.BlockBytes}.";
        }

        return null;
    }

    private void RefuseAll(string sentence)
    {
        foreach (var member in _members)
        {
            member.AwaySinceMicros ??= _loop.NowMicros;
        }

        if (_openingTrouble != sentence)
        {
            _openingTrouble = sentence;
            _log.Error(sentence);
        }
    }

    private void ForgetSession()
    {
        _session = SessionId.None;
        foreach (var member in _members)
        {
            member.Attached = false;
            member.Readable = false;
            member.ReplayDoneAsked = false;
            member.BootId = 0;
            member.Durable = Tag.None;
            member.Retired = Tag.None;
        }
    }

    private bool AreAllAttached()
    {
        foreach (var member in _members)
        {
            if (!member.Attached)
            {
                return false;
            }
        }

        return true;
    }
}
