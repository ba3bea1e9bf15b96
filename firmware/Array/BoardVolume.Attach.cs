using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <summary>A coordinator opens a session here, or comes back in its own (rules O1, O2, B1, B4).</summary>
internal sealed partial class BoardVolume
{
    /// <summary>A session may be at most this far above the stored one: one bad frame must not use up the volume's numbers.</summary>
    private const uint SessionJumpMax = 1 << 16;

    private Task _attaching = Task.CompletedTask;

    public Task AttachAsync(BoardConnection from, FrameHeader header, ulong sessionId)
    {
        // One at a time: each is judged against what the one before has stored.
        _attaching = AttachNextAsync(_attaching, from, header, new SessionId(header.Session, sessionId));
        return _attaching;
    }

    /// <summary>The coordinator says, naming this boot, that the replay is complete (rule B4).</summary>
    public void EndReplay(BoardConnection from, in FrameHeader header)
    {
        if (!IsAttached(from, header))
        {
            return;
        }

        _replayDone = true;
        var answer = default(FrameHeader);
        from.Reply(header, WireStatus.Ok, ref answer);
    }

    /// <summary>Answers with the tag table of the attached session (rule R1).</summary>
    public void Collect(BoardConnection from, in FrameHeader header)
    {
        if (IsAttached(from, header))
        {
            AnswerTable(from, header);
        }
    }

    /// <summary>Answers with state and tag table.</summary>
    public void AnswerTable(BoardConnection from, in FrameHeader header)
    {
        var writer = new WireWriter();
        _board.Describe().WriteTo(writer);
        var report = new TableReport();
        for (var i = 0; i < Nvm.Table.Count; i++)
        {
            var e = Nvm.Table[i];
            report.Entries.Add(new ReportedEntry(e.Tag, e.Generator, e.Range, e.Sure || e.Tag <= Nvm.Durable, e.Token));
        }

        foreach (var mark in Nvm.Marks)
        {
            report.Marks.Add(new ReportedMark(mark.Range, mark.Session, mark.Attempt));
        }

        report.WriteTo(writer);
        var answer = default(FrameHeader);
        from.Reply(header, WireStatus.Ok, ref answer, writer);
    }

    private async Task AttachNextAsync(Task before, BoardConnection from, FrameHeader header, SessionId session)
    {
        await before;
        if (!from.IsOpen)
        {
            return;
        }

        var epoch = _epoch;
        var stored = Record.Session;
        if (session.Number < stored.Number || (session.Number == stored.Number && session.Id != stored.Id))
        {
            // O1: judged before anybody's connection is closed, else a stale host that retries cuts off the live one.
            _board.Log.Info($"Session {session.Number} from {from.Peer} was refused; {stored.Number} is open.");
            var fenced = new FrameHeader { Watermark = stored.Number };
            from.Reply(header, WireStatus.Fenced, ref fenced);
            return;
        }

        if (session.Number - stored.Number > SessionJumpMax || session.Number == 0 || session.Number > SessionId.MaxNumber)
        {
            from.ReplyFault(header, WireStatus.Invalid, $"Session {session.Number} is too far above {stored.Number}; a step of at most {SessionJumpMax} is taken.");
            return;
        }

        if (header.BootId != _board.BootId)
        {
            from.ReplyFault(header, WireStatus.WrongBoot, "The frame names another boot of this board.");
            return;
        }

        // B1: what the old connection brought is applied, what is unread is dropped.
        if (_attached is { } old && old != from)
        {
            old.Close(session == stored ? "its coordinator came on a new connection" : $"session {session.Number} opens");
        }

        _attached = null;
        while (_writesInProgress > 0 || _copiesInProgress > 0)
        {
            await _board.Signal.ChangedAsync();
        }

        if (session.Number > stored.Number)
        {
            var record = Record with
            {
                Session = session,
                LastCoordinator = (header.Flags & FrameFlags.Authority) != 0 ? Record.LastCoordinator : session,
            };
            var status = await Store.StoreVolumeAsync(Nvm.Slot, record);
            if (!status.IsOk)
            {
                from.ReplyFault(header, WireStatus.NvmFault, status.Fault!);
                NvmFailed(status);
                return;
            }

            // What the last session's recovery synced is no part of this one's (R7).
            _attempt = 0;
            _synced = default;
            _writtenBack = default;
            _board.Log.Info($"Session {session.Number} of volume {Record.Name} is open for {from.Peer}.");
        }

        if (!from.IsOpen || epoch != _epoch)
        {
            return;
        }

        _attached = from;
        AnswerTable(from, header);
    }
}
