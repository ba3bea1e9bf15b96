using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <summary>Which command may come from whom, and who does it.</summary>
internal static class BoardCommands
{
    public static void Dispatch(BoardNode board, BoardConnection from, in FrameHeader header, Payload? payload)
    {
        switch (header.Command, from.Role)
        {
            case (Command.Survey, _):
                AnswerSurvey(board, from, header);
                return;
            case (Command.Collect, HelloRole.Status) when board.Volume is not null:
                board.Volume.AnswerTable(from, header);
                return;
            case (Command.Create, HelloRole.Creator):
                board.Guard(board.CreateAsync(from, header, CreateRequest.Read(WireReader.From(payload), out var wrong), wrong));
                return;
        }

        var volume = board.Volume;
        if (volume is null || board.Condition != BoardCondition.Member)
        {
            from.ReplyFault(header, WireStatus.NoSuchVolume, $"Board {board.Options.Name} holds no volume: {board.Reason}");
            return;
        }

        switch (header.Command, from.Role)
        {
            case (Command.Write, HelloRole.Coordinator):
                volume.Write(from, header, payload);
                return;
            case (Command.Read, HelloRole.Coordinator):
                volume.Read(from, header);
                return;
            case (Command.Flush, HelloRole.Coordinator):
                volume.Flush(from, header);
                return;
            case (Command.Retire, HelloRole.Coordinator):
                volume.Retire(from, header);
                return;
            case (Command.Attach, HelloRole.Coordinator):
                board.Guard(volume.AttachAsync(from, header, WireReader.From(payload).U64()));
                return;
            case (Command.ReplayDone, HelloRole.Coordinator):
                volume.EndReplay(from, header);
                return;
            case (Command.Collect, HelloRole.Coordinator):
                volume.Collect(from, header);
                return;
            case (Command.Hash, HelloRole.Coordinator):
                board.Guard(volume.HashAsync(from, header));
                return;
            case (Command.Copy, HelloRole.Coordinator):
                var reader = WireReader.From(payload);
                var address = new NodeAddress(reader.Text(), reader.I32());
                if (!reader.IsWhole || !address.IsSound)
                {
                    break;
                }

                board.Guard(volume.CopyAsync(from, header, address));
                return;
            case (Command.CopyRead, HelloRole.Peer):
                board.Guard(volume.AnswerCopyReadAsync(from, header));
                return;
            case (Command.WriteBack, HelloRole.Coordinator):
                board.Guard(volume.WriteBackAsync(from, header));
                return;
            case (Command.Sync, HelloRole.Coordinator):
                board.Guard(volume.SyncAsync(from, header));
                return;
            case (Command.Settle, HelloRole.Coordinator):
                board.Guard(volume.SettleAsync(from, header, RangeList.Read(WireReader.From(payload), volume.Blocks)));
                return;
            case (Command.Finish, HelloRole.Coordinator):
                board.Guard(volume.FinishAsync(from, header, RangeList.Read(WireReader.From(payload), volume.Blocks)));
                return;
        }

        var sentence = $"The command {header.Command} is unknown, malformed or not allowed for a caller of the role {from.Role}.";
        board.Log.Warning($"A caller at {from.Peer} was answered: {sentence}");
        from.ReplyFault(header, WireStatus.Invalid, sentence);
    }

    private static void AnswerSurvey(BoardNode board, BoardConnection from, in FrameHeader header)
    {
        var writer = new WireWriter();
        board.Describe().WriteTo(writer);
        var answer = default(FrameHeader);
        from.Reply(header, WireStatus.Ok, ref answer, writer);
    }
}
