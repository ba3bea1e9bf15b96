using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <content>What stands against a creation (section 10a). Nothing is written here, and nothing is written before this has passed.</content>
/// <remarks>
/// <code>
///   found on chip or disk                                  without --wipe   with --wipe
///   the member that is asked for                           done already     done already
///   a member of this volume, made in another way           refused          refused
///   a valid or newer superblock or label of another        refused          refused
///   something that cannot be read                          refused          refused
///   damaged, or without our magic                          refused          overwritten
///   what a cut creation of this volume id left             completed        completed
///   blank; a file that is not there                        made             made
/// </code>
/// </remarks>
public sealed partial class BoardNode
{
    private const long FileSizeMaxFactor = 16;
    private const long FileSizeMaxBytes = 16L << 40;
    private const string SayWipe = "; if that may be overwritten, say --wipe";

    /// <summary>Gets the size up to which a volume may grow: what was asked for, or the default.</summary>
    private static long SizeMaxOf(CreateRequest request) => request.SizeMaxBytes != 0
        ? request.SizeMaxBytes
        : Math.Max(request.SizeBytes, Math.Min(request.SizeBytes * FileSizeMaxFactor, FileSizeMaxBytes));

    /// <summary>Says what stands against a creation, or null.</summary>
    private async Task<string?> JudgeCreationAsync(CreateRequest request)
    {
        if (Volume is { } volume)
        {
            return JudgeRepetition(volume.Record, request);
        }

        if (Condition == BoardCondition.Failed)
        {
            return Reason.TrimEnd('.');
        }

        if (Condition == BoardCondition.Unusable && _chipHoldsOurs)
        {
            return Reason.TrimEnd('.') + "; a chip that MirrorController has formatted is never overwritten, also not with --wipe";
        }

        var found = await MemberDisk.FindLabelAsync(this, DiskLabel.DataOffsetFor(SizeMaxOf(request), request.BlockBytes));
        // A creation that did not come to its end: nobody's volume yet.
        var half = Store.Volume(0)?.Record;
        if (found.Label is { } label && !(half is not null && VolumeIds.ToGuid(label.Volume) == half.VolumeId && label.ChipId == Store.ChipId))
        {
            return $"the disk {DiskPlace.Name} holds member {label.Member} of volume {label.Name}, which is never overwritten";
        }

        if (found.State is LabelState.Newer)
        {
            return $"the disk {DiskPlace.Name} has a label of a newer format";
        }

        if (found.Fault is not null)
        {
            // What cannot be looked at may be anybody's.
            return found.Fault.TrimEnd('.');
        }

        if (Condition == BoardCondition.Unusable && !request.Wipe)
        {
            return Reason.TrimEnd('.') + SayWipe;
        }

        // What a cut creation of this volume left is ours to overwrite; any other content is foreign.
        var isOfThisCreation = half is not null && half.VolumeId == VolumeIds.ToGuid(request.Volume);
        return found.State is LabelState.Foreign or LabelState.Damaged && !isOfThisCreation && !request.Wipe
            ? $"the disk {DiskPlace.Name} holds something foreign{SayWipe}"
            : null;
    }

    /// <summary>Says in what a creation differs from the one that made this member, or null: then there is nothing to do.</summary>
    /// <remarks>A volume whose members have different first views can never be opened again.</remarks>
    private static string? JudgeRepetition(VolumeRecord record, CreateRequest request)
    {
        if (VolumeIds.FromGuid(record.VolumeId) != request.Volume)
        {
            return $"it holds member {record.Member} of volume {record.Name}, which is never overwritten";
        }

        var differences = new List<string>();
        var (view, wanted) = (record.View, request.View);
        if (view?.Members.Count != wanted.Members.Count)
        {
            differences.Add($"has {view?.Members.Count ?? 0} members, not {wanted.Members.Count}");
        }
        else if (record.SizeBytes == request.SizeBytes && !view.IsSameAs(wanted))
        {
            differences.Add($"has another first {view}, not {wanted}");
        }

        if (record.Member != request.Member)
        {
            differences.Add($"has here its member {record.Member}, not {request.Member}");
        }

        if (record.SizeBytes != request.SizeBytes)
        {
            differences.Add($"has {record.SizeBytes} bytes, not {request.SizeBytes}");
        }

        if (record.BlockBytes != request.BlockBytes)
        {
            differences.Add($"has blocks of {record.BlockBytes} bytes, not {request.BlockBytes}");
        }

        if (request.SizeMaxBytes != 0 && record.SizeMaxBytes != request.SizeMaxBytes)
        {
            differences.Add($"may grow to {record.SizeMaxBytes} bytes, not {request.SizeMaxBytes}");
        }

        return differences.Count == 0
            ? null
            : $"volume {record.Name} exists and {string.Join(", ", differences)}; it is never overwritten or changed:"
                + " repeat its creation with the boards, in the order, and with the size that it was created with";
    }
}
