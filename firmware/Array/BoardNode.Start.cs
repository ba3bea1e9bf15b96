using MirrorController.Protocol.Nvm;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <summary>A board's start: chip, disk, label, and only then the listening socket.</summary>
public sealed partial class BoardNode
{
    private const long LookAgainMs = 1000;
    private bool _diskIsAway;
    private bool _isStopped;
    private bool _chipHoldsOurs;

    /// <summary>Starts the board: settles what the last life left, then listens.</summary>
    /// <remarks>It also listens when chip or disk cannot be used: it then answers only status, and creation if they are blank.</remarks>
    public async Task StartAsync()
    {
        BootId = Random.NextNonZero();
        await SettleAsync();
        switch (Condition)
        {
            case BoardCondition.Member:
                Log.Info($"Board {Options.Name} holds member {Volume!.Record.Member} of volume {Volume.Record.Name}: "
                    + $"{Volume.Nvm.Table.Count} entries, D {Volume.Nvm.Durable}, R {Volume.Nvm.Retired}, start {Store.StartCounter}.");
                break;
            case BoardCondition.Blank:
                Log.Warning($"Board {Options.Name}: {Reason}");
                break;
            default:
                Log.Error($"Board {Options.Name}: {Reason}");
                break;
        }

        Listen();
        LookAfterStart();
    }

    /// <summary>A disk that is not there is no foreign one: a slow bridge, a mount that comes late, a cable. Nothing was decided by it.</summary>
    private async Task LookAgainAsync()
    {
        if (_isStopped)
        {
            return;
        }

        await SettleDiskAsync();
        if (_diskIsAway)
        {
            Loop.StartTimer(LookAgainMs, () => Guard(LookAgainAsync()));
            return;
        }

        Log.Info($"Board {Options.Name}: the disk {DiskPlace.Name} is there now. {Reason}".TrimEnd());
        // Who was told that it is not there connects anew, and is told what the board is good for.
        CloseConnections("the disk is there now");
    }

    /// <summary>Finds out what chip and disk are, and what the board is therefore good for.</summary>
    internal async Task SettleAsync()
    {
        var opened = await Store.OpenAsync();
        _chipHoldsOurs = opened.HoldsOurs;
        switch (opened.State)
        {
            case NvmOpenState.Ok:
                break;
            case NvmOpenState.Blank:
                await SettleDiskAsync();
                return;
            default:
                Condition = opened.State == NvmOpenState.Failed ? BoardCondition.Failed : BoardCondition.Unusable;
                Reason = opened.Sentence;
                return;
        }

        var started = await Store.StartAsync();
        if (!started.IsOk)
        {
            FailNvm(started.Fault!);
            return;
        }

        BootId = Store.BootId;
        await SettleDiskAsync();
    }

    /// <summary>Finds out what the disk is, and what it makes of the board together with the chip.</summary>
    private async Task SettleDiskAsync()
    {
        _diskIsAway = false;
        if (Store.StartCounter == 0)
        {
            await JudgeBlankChipAsync();
            return;
        }

        var nvm = Store.Volume(0);
        if (nvm is null || nvm.Record.State == VolumeState.Creating)
        {
            Condition = BoardCondition.Blank;
            Reason = nvm is null
                ? "The memory chip is formatted and holds no volume; the board waits for a creation."
                : $"The creation of volume {nvm.Record.Name} was not completed; the board waits for it to be repeated.";
            return;
        }

        // A sound chip cannot say this: R follows D, and D the session that was stored before it. Writes would meet tags that are gone.
        if (nvm.Retired > nvm.Durable || nvm.Durable.Session > nvm.Record.Session.Number)
        {
            Condition = BoardCondition.Unusable;
            Reason = $"The memory chip contradicts itself: volume {nvm.Record.Name} is in session {nvm.Record.Session.Number}, durable up to {nvm.Durable}, retired up to {nvm.Retired}.";
            return;
        }

        var found = await MemberDisk.OpenAsync(this, nvm.Record);
        if (found.IsAway)
        {
            CountDiskAway(found.Sentence);
            return;
        }

        if (found.Disk is null)
        {
            Condition = BoardCondition.Unusable;
            Reason = found.Sentence;
            return;
        }

        Volume = new BoardVolume(this, nvm, found.Disk);
        Condition = BoardCondition.Member;
        Reason = string.Empty;
    }

    private void CountDiskAway(string sentence)
    {
        _diskIsAway = true;
        Condition = BoardCondition.Failed;
        Reason = $"{sentence.TrimEnd('.')}; the board looks again every second.";
    }

    private async Task JudgeBlankChipAsync()
    {
        var label = await MemberDisk.FindLabelAsync(this, DiskLabel.HeadBytesMin);
        if (label.IsAway)
        {
            CountDiskAway(label.Fault!);
            return;
        }

        if (label.IsOurs)
        {
            Condition = BoardCondition.Unusable;
            Reason = $"The memory chip is blank, but the disk {DiskPlace.Name} holds a member of volume {label.VolumeName}: they are not a pair.";
            return;
        }

        Condition = BoardCondition.Blank;
        Reason = label.State == LabelState.Blank
            ? "Chip and disk are blank; the board waits for a creation."
            : $"The memory chip is blank, and the disk {DiskPlace.Name} holds something foreign; the board waits for a creation with --wipe.";
    }
}
