using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Coordination;

/// <summary>What the coordinator knows of one member: its link, how far it has come, and what it may be used for.</summary>
internal sealed class Member(int index, BoardAddress board)
{
    /// <summary>Gets the place in the coordinator's list; bits of replies go by it.</summary>
    public int Index { get; } = index;

    public uint Bit { get; } = 1u << index;

    public BoardAddress Board { get; } = board;

    public BoardLink Link { get; set; } = null!;

    /// <summary>Gets or sets the member's number, fixed by the opening.</summary>
    public int Number { get; set; } = -1;

    /// <summary>Gets or sets the board's last account of itself.</summary>
    public BoardState? State { get; set; }

    /// <summary>Gets or sets whether the board has taken this session on the present connection (rule B1).</summary>
    public bool Attached { get; set; }

    /// <summary>Gets or sets whether its replay is complete and it may be read (rule B4).</summary>
    public bool Readable { get; set; }

    /// <summary>Gets or sets whether it is being asked how full its chip is.</summary>
    public bool ChipAsked { get; set; }

    /// <summary>Gets or sets whether REPLAY_DONE is on its way.</summary>
    public bool ReplayDoneAsked { get; set; }

    /// <summary>Gets or sets the boot the member's replies count for; 0 before the first attach of the session.</summary>
    public ulong BootId { get; set; }

    public ulong StartCounter { get; set; }

    /// <summary>Gets or sets why this member is not used though it answers: refused, blank, an old image.</summary>
    public string? Refusal { get; set; }

    /// <summary>Gets or sets the present trouble with its disk or memory.</summary>
    public string? Fault { get; set; }

    /// <summary>Gets or sets since when the member is not in use, in the loop's microseconds; null while it is.</summary>
    public long? AwaySinceMicros { get; set; }

    /// <summary>Gets or sets D as the board has stored it.</summary>
    public Tag Durable { get; set; }

    /// <summary>Gets or sets R as the board has stored it.</summary>
    public Tag Retired { get; set; }

    /// <summary>Gets or sets the low watermark L: every sequence of this session up to it has been replied to since the member last started (rule D1).</summary>
    public ulong LowSequence { get; set; }

    /// <summary>Gets or sets the next sequence to send; all that is sent goes in tag order, new writes never overtake a replay (rule B2).</summary>
    public ulong Cursor { get; set; } = 1;

    /// <summary>Gets or sets the sequence up to which the member must have replied before its replay is complete.</summary>
    public ulong ReplayThrough { get; set; }

    /// <summary>Gets or sets the table's capacity in entries.</summary>
    public int Capacity { get; set; }

    /// <summary>Gets or sets how many entries of older sessions it holds; they take room until R7.</summary>
    public int OlderEntries { get; set; }

    public bool FlushInFlight { get; set; }

    public long FlushSentMicros { get; set; }

    /// <summary>Gets or sets how long the last flush took, in milliseconds.</summary>
    public long LastFlushMs { get; set; }

    /// <summary>Gets or sets the newest token of a retired write under the present boot (rule D4).</summary>
    public ulong RetiredToken { get; set; }

    /// <summary>Gets or sets the highest watermark sent.</summary>
    public Tag WatermarkSent { get; set; }

    /// <summary>Gets the reads that wait for this member's answer, by request id.</summary>
    public Dictionary<ulong, ReadOp> Reads { get; } = [];

    /// <summary>Gets or sets whether a resend of failed writes is due.</summary>
    public bool ResendScheduled { get; set; }

    /// <summary>Gets the sequences that the member failed to write and has not written since.</summary>
    public List<ulong> FailedWrites { get; } = [];

    /// <summary>Gets those of them whose failure was answered and that have not been sent again.</summary>
    public List<ulong> ResendDue { get; } = [];

    /// <summary>Tells whether another entry fits (rule D6): every tag drawn above the stored R takes room.</summary>
    public bool HasRoom(uint session, ulong nextSequence)
    {
        var retired = Retired.Session == session ? Retired.Sequence : 0;
        return (long)(nextSequence - retired) - 1 + OlderEntries < Capacity;
    }

    /// <summary>Gets D's sequence within the session.</summary>
    public ulong DurableSequence(uint session) => Durable.Session == session ? Durable.Sequence : 0;
}
