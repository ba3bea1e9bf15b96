namespace MirrorController.Tests.Harness.RandomHistory;

/// <summary>What may go wrong in a random history.</summary>
public enum HistoryFault
{
    /// <summary>A board loses its power, at once.</summary>
    CutBoard,

    /// <summary>A board loses its power while its n-th operation from now runs.</summary>
    CutBoardAtOperation,

    /// <summary>A board's process ends and starts again; its system and the cache of its disk live on.</summary>
    KillBoard,

    /// <summary>All boards lose their power together.</summary>
    CutAllBoards,

    /// <summary>The host dies.</summary>
    CutHost,

    /// <summary>The host dies when it has taken in n more things from outside: in the middle of whatever comes of the last.</summary>
    CutHostAtArrival,

    /// <summary>The host dies; when one opens again, a board or all of them lose their power at their n-th operation from then, and perhaps the host at its n-th arrival.</summary>
    CutInRecovery,

    /// <summary>The host dies; in the recovery that follows a board's sync fails, its process is killed and comes back, and the system drops its clean pages sooner or later.</summary>
    LoseCopies,

    /// <summary>Hosts and boards lose their power together.</summary>
    CutEverything,

    /// <summary>The operator ends the host's agent, and starts one again.</summary>
    StopHost,

    /// <summary>Another host with the same configuration opens the volume while the old one lives.</summary>
    ReplaceHost,

    /// <summary>A host or a board stands still for a while and then goes on as if nothing had been.</summary>
    PauseNode,

    /// <summary>A node's clock jumps forward, as after a sleep.</summary>
    JumpClock,

    /// <summary>The connections between two nodes break, and both are told or nobody is.</summary>
    CutLink,

    /// <summary>Two nodes do not reach each other for a while.</summary>
    BlockLink,

    /// <summary>One of two nodes does not reach the other for a while, but is reached.</summary>
    BlockWay,

    /// <summary>A node reaches none of the others for a while.</summary>
    Isolate,

    /// <summary>The way between two nodes is slow for a while.</summary>
    SlowLink,

    /// <summary>A bit turns on its way between two nodes.</summary>
    GarbleLink,

    /// <summary>Some writes of a disk fail, whether they were taken or not.</summary>
    FailDiskWrites,

    /// <summary>Some reads of a disk fail; the same block may be read the next time.</summary>
    FailDiskReads,

    /// <summary>Some blocks of a disk, or the same ones of all disks, cannot be read for a while, or until they are written.</summary>
    SpoilBlocks,

    /// <summary>The host dies, and some of what is then to be compared cannot be read on any board, or on one, until after the recovery, or not that long.</summary>
    SpoilRecovery,

    /// <summary>Some syncs of a disk fail and mark the pages clean.</summary>
    FailDiskSyncs,

    /// <summary>The system fails to write a disk's cache back in the background.</summary>
    FailWriteback,

    /// <summary>The system drops the clean pages of a disk; what a failed sync left clean is as old as the medium again.</summary>
    DropPages,

    /// <summary>A disk takes no write for a while.</summary>
    FillDisk,

    /// <summary>A disk is unplugged, and its board started anew or not; after a while it is there again, as another device: whoever had it open has to open it anew.</summary>
    UnplugDisk,

    /// <summary>A disk is slow for a while.</summary>
    SlowDisk,

    /// <summary>A disk needs long to make something durable for a while; what need not be durable is as quick as ever.</summary>
    SlowSyncs,

    /// <summary>A disk does not answer for a while.</summary>
    HangDisk,

    /// <summary>A few transfers of a chip fail, fewer than make a board give the chip up.</summary>
    FailChipTransfers,

    /// <summary>A few writes of a chip are acknowledged and do not stand.</summary>
    LoseChipWrites,

    /// <summary>A chip does not answer for a while.</summary>
    StickChip,

    /// <summary>Every transfer of a chip fails for a while: its board gives it up, and starts again by itself when it can be used again.</summary>
    BreakChip,

    /// <summary>A chip is slow for a while.</summary>
    SlowChip,

    /// <summary>A board comes back with its chip and disk as they were some time ago; later it gets the right ones back.</summary>
    RestoreImage,

    /// <summary>The operator reconciles by hand, whether a host serves or not.</summary>
    Reconcile,

    /// <summary>The operator compares all members.</summary>
    Verify,

    /// <summary>The operator repeats the creation of a board's member, under the same id or under another one.</summary>
    CreateAgain,

    /// <summary>The operator looks at a board's tag table.</summary>
    ShowTable,
}
