using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Wire;

namespace MirrorController.Firmware.Array;

/// <summary>A board starts again by itself where a start of its process would help: its chip has failed, or its disk takes nothing for a while.</summary>
/// <remarks>
/// A bus that was disturbed for a second, a USB bridge that came back under the same path with another device behind it:
/// nobody should have to come for that. Chip and disk are opened anew, as after a power cut; what is not durable is unsure.
/// It is tried again at growing intervals, for each start is a write to the chip.
/// </remarks>
public sealed partial class BoardNode
{
    private const long StartAgainMaxMs = 60_000;
    private const long IdleLookMs = 100;

    private long? _readsFailSinceMicros;
    private long? _writesFailSinceMicros;
    private long? _syncsFailSinceMicros;
    private long _startAgainMs;
    private bool _startsAgain;

    /// <summary>The disk has given what was read, or failed it.</summary>
    internal void NoteRead(bool isOk)
    {
        if (FailsForLong(ref _readsFailSinceMicros, isOk))
        {
            Guard(JudgeReadsAsync());
        }
    }

    /// <summary>The disk has taken a write, or failed it.</summary>
    internal void NoteWrite(bool isOk)
    {
        if (FailsForLong(ref _writesFailSinceMicros, isOk))
        {
            StartAgainLater($"The disk {DiskPlace.Name} has taken nothing for {Options.DiskTroubleMaxMs} ms.");
        }
    }

    /// <summary>The disk has become durable, or has not.</summary>
    internal void NoteSync(bool isOk)
    {
        if (isOk)
        {
            // Chip and disk work: the next trouble is a new one.
            _startAgainMs = Options.StartAgainFirstMs;
        }

        if (FailsForLong(ref _syncsFailSinceMicros, isOk))
        {
            StartAgainLater($"The disk {DiskPlace.Name} could not be made durable for {Options.DiskTroubleMaxMs} ms.");
        }
    }

    private bool FailsForLong(ref long? sinceMicros, bool isOk)
    {
        if (isOk)
        {
            sinceMicros = null;
            return false;
        }

        sinceMicros ??= Loop.NowMicros;
        if (Loop.NowMicros - sinceMicros < Options.DiskTroubleMaxMs * 1000)
        {
            return false;
        }

        sinceMicros = null;
        return true;
    }

    /// <summary>Blocks that cannot be read are no reason to start again; a disk of which not even the label can be read is.</summary>
    private async Task JudgeReadsAsync()
    {
        if (Volume is { } volume && !await volume.Disk.CanBeReadAsync(this))
        {
            StartAgainLater($"The disk {DiskPlace.Name} could not be read for {Options.DiskTroubleMaxMs} ms.");
        }
    }

    private void StartAgainLater(string why)
    {
        if (!_startsAgain && !_isStopped)
        {
            _startsAgain = true;
            _startAgainMs = Math.Max(_startAgainMs, Options.StartAgainFirstMs);
            Loop.StartTimer(_startAgainMs, () => Guard(StartAgainAsync(why)));
            _startAgainMs = Math.Min(2 * _startAgainMs, StartAgainMaxMs);
        }
    }

    private async Task StartAgainAsync(string why)
    {
        while (IsRestarting || _isCreating)
        {
            await Signal.ChangedOrAfterAsync(IdleLookMs);
        }

        IsRestarting = true;
        CloseConnections(why);
        Volume?.ForgetBoot();
        while (Volume is { IsIdle: false })
        {
            // A call that hangs may reach the disk yet: nothing is opened beside it.
            await Signal.ChangedOrAfterAsync(IdleLookMs);
        }

        await Store.EndAsync("The board has started again meanwhile.");
        if (_isStopped)
        {
            return;
        }

        Volume?.Disk.Close();
        Volume = null;
        Store = MakeStore();
        BootId = Random.NextNonZero();
        (Condition, Reason) = (BoardCondition.Failed, why);
        await SettleAsync();
        IsRestarting = false;
        _startsAgain = false;
        if (Condition == BoardCondition.Member)
        {
            Log.Warning($"{why} The board has started again: start {Store.StartCounter}, {Volume!.Nvm.Table.Count} entries.");
            Restarted?.Invoke(why);
        }
        else
        {
            Log.Error($"{why} The board has started again: {Reason}");
        }

        LookAfterStart();
        CloseConnections("the board has started again");
        Signal.Pulse();
    }

    /// <summary>What could not be used at a start may be there later.</summary>
    private void LookAfterStart()
    {
        if (_diskIsAway)
        {
            Loop.StartTimer(LookAgainMs, () => Guard(LookAgainAsync()));
        }
        else if (Condition == BoardCondition.Failed)
        {
            StartAgainLater(Reason);
        }
    }
}
