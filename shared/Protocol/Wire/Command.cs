namespace MirrorController.Protocol.Wire;

/// <summary>What a frame asks for or answers; an answer is the request's number with <see cref="Reply"/> set.</summary>
public enum Command : ushort
{
    None = 0,

    /// <summary>First frame of who connects: versions, volume, role, session, nonce. Judged before anything else happens.</summary>
    Hello = 1,

    /// <summary>The listener's nonce and its proof of the secret.</summary>
    Challenge = 2,

    /// <summary>The connecting side's proof of the secret.</summary>
    Proof = 3,

    /// <summary>The secret is proven in both directions; the connection may be used.</summary>
    Welcome = 4,

    /// <summary>The connection is not taken; the payload is the reason, one sentence. The sender closes.</summary>
    Refused = 5,

    /// <summary>Asks for a sign of life; sent every second in both directions.</summary>
    Ping = 6,

    /// <summary>Asks for the board's state without attaching: for openings and status.</summary>
    Survey = 10,

    /// <summary>Opens (a higher session) or attaches again (the stored session): rules O1, O2, B1.</summary>
    Attach = 11,

    /// <summary>Stores a view in the volume's superblock.</summary>
    StoreView = 12,

    /// <summary>Reads the tag table: entries and repair marks (rule R1).</summary>
    Collect = 13,

    /// <summary>Creates the volume's member on a board (section 10a).</summary>
    Create = 14,

    /// <summary>A tagged write (rule W2).</summary>
    Write = 20,

    /// <summary>A tagged TRIM; format laid down, served later.</summary>
    Trim = 21,

    /// <summary>A tagged WRITE ZEROES; format laid down, served later.</summary>
    WriteZeroes = 22,

    /// <summary>Reads blocks.</summary>
    Read = 23,

    /// <summary>Makes the disk durable, then stores D (rule D1).</summary>
    Flush = 24,

    /// <summary>Passes on the retirement watermark when no write does (rule D4).</summary>
    Retire = 25,

    /// <summary>Says that the replay is complete for a boot id (rule B4).</summary>
    ReplayDone = 26,

    /// <summary>Asks for hashes of blocks (rule R3).</summary>
    Hash = 30,

    /// <summary>Tells a target to pull blocks from a source (rules R3, R4).</summary>
    Copy = 31,

    /// <summary>A target's read of a source's blocks, board to board.</summary>
    CopyRead = 32,

    /// <summary>Has a board write back what it is unsure of, before anything is hashed (rule R5).</summary>
    WriteBack = 36,

    /// <summary>Makes the disk durable in a reconciliation without moving D (rules R5, R7).</summary>
    Sync = 33,

    /// <summary>Stores D = the session's start (rule R7, first step).</summary>
    Settle = 34,

    /// <summary>Stores R = the session's start, drops older entries, clears marks (rule R7, second step).</summary>
    Finish = 35,

    /// <summary>Set in an answer.</summary>
    Reply = 0x8000,
}

/// <summary>Flags of a frame; bits not named here are reserved: written zero, refused otherwise.</summary>
[Flags]
public enum FrameFlags : ushort
{
    None = 0,

    /// <summary>The write must be durable when it is replied to (rule W5).</summary>
    Fua = 1,

    /// <summary>The write is sent again (rule B2).</summary>
    Resent = 2,

    /// <summary>The data is all zeroes and not sent: the form of a copy's answer and of TRIM's successor commands.</summary>
    Zeroes = 4,

    /// <summary>Creation may overwrite what is foreign (section 10a).</summary>
    Wipe = 8,

    /// <summary>The opening is an authority's, not a coordinator's: it writes nothing of its own.</summary>
    Authority = 16,

    /// <summary>All flags of this version.</summary>
    All = Fua | Resent | Zeroes | Wipe | Authority,
}

/// <summary>How a command ended.</summary>
public enum WireStatus : ushort
{
    /// <summary>Done.</summary>
    Ok = 0,

    /// <summary>The session is older than the board's (rules W3, O2).</summary>
    Fenced = 1,

    /// <summary>The frame names another boot of the board.</summary>
    WrongBoot = 2,

    /// <summary>The disk failed; the write is not taken (rule W7).</summary>
    DiskFault = 3,

    /// <summary>The nonvolatile memory failed.</summary>
    NvmFault = 4,

    /// <summary>The command is not allowed in the board's present state; the payload says why.</summary>
    NotNow = 5,

    /// <summary>The command is wrong: range, size, unknown; the payload says what.</summary>
    Invalid = 6,

    /// <summary>A newer attempt is known (rule R3).</summary>
    StaleAttempt = 7,

    /// <summary>The volume or member is not here.</summary>
    NoSuchVolume = 8,

    /// <summary>The secret, a version, or the claim to a member is not accepted.</summary>
    NotAccepted = 9,
}
