using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;
using MirrorController.Protocol.Views;
using MirrorController.Protocol.Wire;

namespace MirrorController.Protocol.Coordination;

/// <summary>How far a coordinator has come.</summary>
public enum CoordinatorPhase
{
    /// <summary>Looks for all members and opens a session; nothing is served.</summary>
    Opening,

    /// <summary>The session is open and the plan is known: serves all but the closed blocks (rule R5).</summary>
    Recovering,

    /// <summary>Every member holds the same; serves everything.</summary>
    Serving,

    /// <summary>Another session has the volume; every request is answered with an error (O2).</summary>
    Fenced,

    /// <summary>Ends: no request is taken any more.</summary>
    Stopped,
}

/// <summary>The storage manager that gives writes their tags and sends them to every member (60 in the patent's figure 3).</summary>
/// <remarks>
/// The invariants that this node keeps, by the names of docs/protocol.md:
/// <list type="number">
/// <item>W1: two overlapping writes are never in flight together (<c>_lock</c>).</item>
/// <item>W2: a tag is drawn last, and the same tag goes to every member in the same order (<c>PumpWrites</c>).</item>
/// <item>W6: an acknowledged write has been replied to by every in-sync member.</item>
/// <item>D1: FLUSH names L, below which no reply is missing since the member last started.</item>
/// <item>D4: a write leaves the replay buffer only at or below min D.</item>
/// <item>D6: a tag is drawn only when every member has room for its entry.</item>
/// <item>B2: after a restart a member's replies above its D are forgotten and sent again before anything newer.</item>
/// </list>
/// Single-threaded; every member runs on the loop.
/// </remarks>
public sealed partial class Coordinator : IVolume, IBoardLinkOwner
{
    private readonly ILoop _loop;
    private readonly IRandomSource _random;
    private readonly INodeLog _log;
    private readonly CoordinatorOptions _options;
    private readonly Member[] _members;
    private readonly uint _allBits;
    private readonly LoopSignal _signal;
    private readonly RangeLock _lock = new();
    private readonly RangeSet _closed = new();
    private readonly ReplayBuffer _buffer = new();
    private SessionId _session;
    private VolumeId _volume;
    private bool _settled;
    private bool _started;

    public Coordinator(ILoop loop, INetwork network, IRandomSource random, INodeLog log, CoordinatorOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfZero(options.Boards.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Boards.Count, MemberSet.CountMax);
        _loop = loop;
        _random = random;
        _log = log;
        _options = options;
        _signal = new LoopSignal(loop);
        _members = new Member[options.Boards.Count];
        for (var i = 0; i < _members.Length; i++)
        {
            var board = options.Boards[i];
            var member = new Member(i, board);
            member.Link = new BoardLink(loop, network, random, log, this, board.Name, board.Address, options.Secret) { ExpectsName = true };
            _members[i] = member;
        }

        _allBits = (1u << _members.Length) - 1;
    }

    /// <summary>Gets how far the coordinator has come.</summary>
    public CoordinatorPhase Phase { get; private set; } = CoordinatorPhase.Opening;

    /// <summary>Gets the session, none before it is drawn.</summary>
    public SessionId Session => _session;

    /// <summary>Gets or sets who is told, once, that another session has fenced this one; the argument is one sentence.</summary>
    public Action<string>? OnFenced { get; set; }

    /// <inheritdoc/>
    public string Name => _options.Volume;

    /// <inheritdoc/>
    public long SizeBytes { get; private set; }

    /// <inheritdoc/>
    public int BlockBytes { get; private set; } = 4096;

    private bool IsServing => Phase is CoordinatorPhase.Serving or CoordinatorPhase.Recovering && !_options.AuthorityOnly;

    private Tag SessionStart => Tag.Of(_session.Number, 0);

    /// <summary>Begins to connect to the boards and to open the volume.</summary>
    public void Start()
    {
        Invariant.Check(!_started, "a coordinator is started once");
        _started = true;
        foreach (var member in _members)
        {
            member.AwaySinceMicros = _loop.NowMicros;
            member.Link.Start();
        }

        Guard(OpenAsync());
    }

    /// <summary>Waits until the volume serves and every member holds the same, or until it never will.</summary>
    /// <returns>True when it is in sync.</returns>
    public async Task<bool> WaitInSyncAsync()
    {
        while (true)
        {
            if (IsOver)
            {
                return false;
            }

            if (Phase == CoordinatorPhase.Serving && MissingMember() is null)
            {
                return true;
            }

            await _signal.ChangedAsync();
        }
    }

    /// <summary>Ends cleanly: waits for what is in flight, flushes, retires everything, closes the links.</summary>
    /// <param name="boundMs">How long to wait at most; what is not done by then is left to the next opening.</param>
    public async Task StopAsync(long boundMs)
    {
        var end = _loop.NowMicros + (boundMs * 1000);
        if (Phase is CoordinatorPhase.Serving or CoordinatorPhase.Recovering)
        {
            _stopping = true;
            while (_loop.NowMicros < end && !IsOver && (Phase == CoordinatorPhase.Recovering || _lock.Count > 0 || !IsAllRetired()))
            {
                RequestFlush();
                if (Watermark == HighestTag)
                {
                    SendRetirement();
                }

                await _signal.ChangedOrAfterAsync(20);
            }
        }

        Phase = CoordinatorPhase.Stopped;
        foreach (var member in _members)
        {
            member.Link.Stop();
        }

        FailEverything();
        _signal.Pulse();
    }

    /// <summary>Ends at once and leaves everything as it is: the links close, nothing is flushed.</summary>
    public void Abandon()
    {
        Phase = CoordinatorPhase.Stopped;
        foreach (var member in _members)
        {
            member.Link.Stop();
        }

        FailEverything();
        _signal.Pulse();
    }

    Hello IBoardLinkOwner.MakeHello(BoardLink link, byte[] nonce)
    {
        var member = MemberOf(link);
        return new Hello
        {
            Role = HelloRole.Coordinator,
            Volume = _volume,
            VolumeName = _options.Volume,
            Member = member.State is { Condition: BoardCondition.Member } state ? state.Member : (ushort)0xFFFF,
            Session = _session,
            BootId = member.BootId,
            Nonce = nonce,
        };
    }

    void IBoardLinkOwner.LinkReady(BoardLink link, BoardState state)
    {
        var member = MemberOf(link);
        member.State = state;
        if (SizeBytes == 0 && state.Condition == BoardCondition.Member && state.VolumeName == _options.Volume)
        {
            BlockBytes = state.BlockBytes;
            SizeBytes = state.SizeBytes;
        }

        if (!_session.IsNone && !IsOver)
        {
            Guard(AttachAsync(member));
        }

        _signal.Pulse();
    }

    void IBoardLinkOwner.LinkDrained(BoardLink link) => SendBacklog(MemberOf(link));

    void IBoardLinkOwner.LinkLost(BoardLink link, string reason)
    {
        var member = MemberOf(link);
        var wasAttached = member.Attached;
        member.Attached = false;
        member.Readable = false;
        member.ReplayDoneAsked = false;
        member.FlushInFlight = false;
        member.AwaySinceMicros ??= _loop.NowMicros;
        if (wasAttached && Phase is not (CoordinatorPhase.Stopped or CoordinatorPhase.Fenced))
        {
            _log.Warning($"Board {member.Board.Name} is away: {reason}.{(IsServing ? " Writes wait for its return." : string.Empty)}");
        }

        if (Phase is not CoordinatorPhase.Stopped)
        {
            ReissueReads(member);
        }

        _signal.Pulse();
    }

    void IBoardLinkOwner.LinkFrame(BoardLink link, in FrameHeader header, Payload? payload)
    {
        var member = MemberOf(link);
        switch (header.Command)
        {
            case Command.Write | Command.Reply:
                WriteReplied(member, header, payload);
                break;
            case Command.Read | Command.Reply:
                ReadReplied(member, header, payload);
                break;
            case Command.Flush | Command.Reply:
                FlushReplied(member, header, payload);
                break;
            case Command.Retire | Command.Reply:
                NoteRetired(member, header);
                _signal.Pulse();
                break;
            default:
                _log.Warning($"Board {member.Board.Name} sent the unexpected frame {header.Command}; the connection is closed and made anew.");
                link.Reset("it sent an unexpected frame");
                break;
        }
    }

    /// <summary>Fences this coordinator for good: until reissue is built it answers with errors and does not open again.</summary>
    private void Fence(string sentence)
    {
        if (IsOver)
        {
            return;
        }

        Phase = CoordinatorPhase.Fenced;
        FencedReason = sentence;
        _log.Error(sentence);
        FailEverything();
        _signal.Pulse();
        OnFenced?.Invoke(sentence);
    }

    /// <summary>Gets what fenced this coordinator, one sentence; null while it is not.</summary>
    public string? FencedReason { get; private set; }

    private Member MemberOf(BoardLink link)
    {
        foreach (var member in _members)
        {
            if (ReferenceEquals(member.Link, link))
            {
                return member;
            }
        }

        throw new InvariantException("every link belongs to a member");
    }

    private Member? MissingMember()
    {
        foreach (var member in _members)
        {
            if (!member.Readable)
            {
                return member;
            }
        }

        return null;
    }

    private FrameHeader NewFrame(Member member, Command command) => new()
    {
        Command = command,
        VolumeKey = _volume.Key,
        Session = _session.Number,
        BootId = member.BootId,
    };

    private void Guard(Task procedure) => _loop.Guard(procedure, "coordinator");
}
