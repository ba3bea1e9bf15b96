using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <summary>How a member is born (section 10a): a superblock that says 'being created', the disk zeroed and durable, its label, and last the superblock that says 'it exists', with the first view.</summary>
/// <remarks>
/// Before that last step a member does not exist. A creation that was cut is repeated under the same volume id and
/// completes what is missing; under another id it begins anew, and what stands on the disk without a label is foreign to it.
/// A volume that exists is never overwritten.
/// </remarks>
public sealed partial class BoardNode
{
    private bool _isCreating;

    internal async Task CreateAsync(BoardConnection from, FrameHeader header, CreateRequest? request, string wrong)
    {
        if (_isCreating)
        {
            from.ReplyFault(header, WireStatus.NotNow, $"Board {Options.Name}: a creation is under way.");
            return;
        }

        _isCreating = true;
        try
        {
            await JudgeAndCreateAsync(from, header, request, wrong);
        }
        finally
        {
            _isCreating = false;
        }
    }

    private async Task JudgeAndCreateAsync(BoardConnection from, FrameHeader header, CreateRequest? request, string wrong)
    {
        var refusal = request is null ? wrong : await JudgeCreationAsync(request);
        if (refusal is not null)
        {
            Log.Warning($"A creation was refused: {refusal}.");
            from.ReplyFault(header, WireStatus.Invalid, $"Board {Options.Name}: {refusal}.");
            return;
        }

        if (Volume is null && !request!.CheckOnly)
        {
            var fault = await CreateMemberAsync(request);
            if (fault is not null)
            {
                Log.Error($"The creation of volume {request.Name} failed: {fault}");
                from.ReplyFault(header, WireStatus.DiskFault, $"Board {Options.Name}: {fault}");
                return;
            }

            Log.Info($"Member {request.Member} of volume {request.Name} ({request.Volume}) is created, {request.SizeBytes} bytes.");
            // Who looked at the blank board looks again: boot and state are others now.
            CloseConnections("the board holds a volume now", except: from);
        }

        var writer = new WireWriter();
        Describe().WriteTo(writer);
        var answer = default(FrameHeader);
        from.Reply(header, WireStatus.Ok, ref answer, writer);
    }

    private async Task<string?> CreateMemberAsync(CreateRequest request)
    {
        if (Store.StartCounter == 0)
        {
            var formatted = await Store.FormatAsync(Options.VolumesMax);
            var started = formatted.IsOk ? await Store.StartAsync() : formatted;
            if (!started.IsOk)
            {
                // Half formatted: only the next start finds what the chip holds. The caller is answered before anybody hears of it.
                Loop.Post(() => FailNvm(started.Fault!));
                return started.Fault;
            }

            BootId = Store.BootId;
        }

        var sizeMax = SizeMaxOf(request);
        var record = new VolumeRecord
        {
            VolumeId = VolumeIds.ToGuid(request.Volume),
            Name = request.Name,
            State = VolumeState.Creating,
            Member = request.Member,
            BlockBytes = request.BlockBytes,
            SizeBytes = request.SizeBytes,
            SizeMaxBytes = sizeMax,
        };
        var half = Store.Volume(0);
        if (half is not null && half.Record.VolumeId != record.VolumeId)
        {
            // The label goes first: beside a chip that does not know its volume it would be a stranger's, never to be overwritten.
            var removed = await MemberDisk.EraseLabelAsync(this);
            if (removed.IsOk)
            {
                removed = await Store.RemoveVolumeAsync(0);
            }

            if (!removed.IsOk)
            {
                return removed.Fault;
            }
        }

        var status = await Store.CreateVolumeAsync(0, record);
        if (!status.IsOk)
        {
            return status.Fault;
        }

        var label = new DiskLabel
        {
            Volume = request.Volume,
            Name = request.Name,
            Member = request.Member,
            BlockBytes = request.BlockBytes,
            SizeBytes = request.SizeBytes,
            SizeMaxBytes = sizeMax,
            ChipId = Store.ChipId,
            DataOffsetBytes = DiskLabel.DataOffsetFor(sizeMax, request.BlockBytes),
        };
        var (disk, sentence) = await MemberDisk.CreateAsync(this, label);
        if (disk is null)
        {
            return sentence;
        }

        status = await disk.WriteLabelAsync(this, label);
        if (status.IsOk)
        {
            status = await Store.StoreVolumeAsync(0, record with { State = VolumeState.Live, View = request.View });
        }

        if (!status.IsOk)
        {
            disk.Close();
            return status.Fault;
        }

        Volume = new BoardVolume(this, Store.Volume(0)!, disk);
        Condition = BoardCondition.Member;
        Reason = string.Empty;
        return null;
    }
}
