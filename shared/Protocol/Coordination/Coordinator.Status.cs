using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Coordination;

/// <summary>What the operator sees of the volume.</summary>
public sealed partial class Coordinator
{
    /// <summary>Describes the volume as it is now.</summary>
    public CoordinatorStatus Describe()
    {
        var members = new List<MemberStatus>();
        string? waiting = null;
        var warnings = new List<string>();
        foreach (var member in _members)
        {
            var status = Describe(member);
            members.Add(status);
            if (status.Reason is not null)
            {
                // All of them: who restores the first one named must not find the next one only then.
                var named = status.Reason.StartsWith($"Board {status.Board}", StringComparison.Ordinal) ? status.Reason : $"Board {status.Board}: {status.Reason}";
                waiting = waiting is null ? named : $"{waiting} {named}";
            }

            if (member.LastFlushMs * 2 > _options.GraceMs)
            {
                warnings.Add($"The last flush of board {member.Board.Name} took {member.LastFlushMs} ms, more than half of the grace time of {_options.GraceMs} ms.");
            }
        }

        if (_openingTrouble is not null)
        {
            waiting = _openingTrouble;
        }

        List<BlockRange> bad = [.. _bad];
        if (bad.Count > 0)
        {
            warnings.Add($"{_bad.BlockCount} blocks could be read on no board, the first of them {bad[0].Start}: reading them is an error until they are overwritten.");
        }

        var state = IsOver ? VolumeState.Failed
            : waiting is not null ? VolumeState.Waiting
            : Phase == CoordinatorPhase.Serving ? VolumeState.InSync
            : Phase == CoordinatorPhase.Recovering ? VolumeState.Recovering
            : VolumeState.Waiting;
        if (state == VolumeState.Waiting)
        {
            waiting ??= "The volume is being opened.";
        }

        var acknowledged = AcknowledgedBytes();
        return new CoordinatorStatus
        {
            Volume = Name,
            State = state,
            Phase = Phase,
            SizeBytes = SizeBytes,
            BlockBytes = BlockBytes,
            Session = _session.Number,
            Members = members,
            LastRecovery = LastRecovery,
            WaitingFor = IsOver ? FencedReason : state == VolumeState.InSync ? null : waiting,
            AtRiskBytes = acknowledged,
            AtRiskOldestMs = acknowledged == 0 ? 0 : (_loop.NowMicros - _oldestUnflushedMicros) / 1000,
            ReplayBufferWrites = _buffer.Count,
            ClosedBlocks = _closed.BlockCount,
            BadRanges = bad,
            Warnings = warnings,
        };
    }

    /// <summary>Asks every board that is connected how full its memory chip is; the answers come by themselves into what <see cref="Describe()"/> tells.</summary>
    /// <remarks>A question a board, never beside another one: a board that is slow to answer is not asked more often.</remarks>
    public void RefreshChips()
    {
        foreach (var member in _members)
        {
            if (member.Link.IsReady && !member.ChipAsked && !IsOver)
            {
                member.ChipAsked = true;
                Guard(RefreshChipAsync(member));
            }
        }
    }

    private static async Task RefreshChipAsync(Member member)
    {
        var answer = await member.Link.AskAsync(new FrameHeader { Command = Command.Survey });
        member.ChipAsked = false;
        // Only what is shown: what the coordinator decides by comes with an attach or an opening's survey.
        if (answer.IsOk && member.State is { } known && BoardState.Read(new WireReader(answer.Body)) is { } fresh)
        {
            member.State = known with
            {
                NvmUsedBytes = fresh.NvmUsedBytes,
                NvmBytesWritten = fresh.NvmBytesWritten,
                NvmBytesOverhead = fresh.NvmBytesOverhead,
                NvmCommits = fresh.NvmCommits,
            };
        }
    }

    private MemberStatus Describe(Member member)
    {
        long? awayMs = member.AwaySinceMicros is { } since ? (_loop.NowMicros - since) / 1000 : null;
        var connection = member.Link.IsReady ? "Connected" : member.Link.WasRefused ? "Refused" : awayMs > _options.GraceMs ? "Disconnected" : "Connecting";
        string sync;
        string? reason;
        if (member.Refusal is not null && !member.Attached)
        {
            (sync, reason) = ("Refused", $"{member.Refusal} {Remedy(member)}");
        }
        else if (!member.Link.IsReady && member.Link.WasRefused)
        {
            (sync, reason) = ("Refused", $"{member.Link.Reason}.");
        }
        else if (!member.Link.IsReady)
        {
            (sync, reason) = (awayMs > _options.GraceMs ? "Away" : "Disconnected", $"it does not answer ({member.Link.Reason}){(_options.AuthorityOnly ? string.Empty : "; it is waited for")}.");
        }
        else if (member.Fault is not null)
        {
            (sync, reason) = ("Failing", member.Fault);
        }
        else if (!member.Attached)
        {
            (sync, reason) = ("Attaching", Phase == CoordinatorPhase.Opening ? null : "it is being attached.");
        }
        else if (!member.Readable)
        {
            (sync, reason) = ("Replaying", "what it missed is being sent again.");
        }
        else
        {
            (sync, reason) = (Phase == CoordinatorPhase.Serving ? "InSync" : "Recovering", null);
        }

        return new MemberStatus(
            member.Board.Name,
            member.State is { Condition: BoardCondition.Member } state ? state.Member : -1,
            connection,
            sync,
            reason,
            reason is null ? null : awayMs,
            member.State);
    }

    /// <summary>What helps a board that answers and is not used.</summary>
    private string Remedy(Member member)
    {
        if (member.State is not { Condition: BoardCondition.Blank })
        {
            return "Its return needs a resync (a later version).";
        }

        foreach (var other in _members)
        {
            if (other.State is { Condition: not BoardCondition.Blank })
            {
                return "Its return needs a resync (a later version).";
            }
        }

        return "A new volume is made with 'mirrorctl volume create'.";
    }

    private long AcknowledgedBytes()
    {
        long bytes = 0;
        for (var s = _buffer.First; s < _buffer.Next; s++)
        {
            var op = _buffer.Find(s)!;
            bytes += op.Acknowledged ? op.Payload.Length : 0;
        }

        return bytes;
    }
}
