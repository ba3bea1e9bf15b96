namespace MirrorController.Protocol.Views;

/// <summary>Which members a volume has and which of them may be read, from one change of that to the next. Immutable.</summary>
/// <remarks>
/// A view lies in the nonvolatile memory of every voter, together with the ids of the views that it came from. So an opening
/// can tell a board that only missed a change (its view is an ancestor of the newest) from one that went its own way.
/// Views are ordered by session, then counter (<see cref="ViewOrder"/>); their identity is the random <see cref="Id"/>.
/// </remarks>
public sealed partial class View
{
    /// <summary>The most ancestors a view keeps.</summary>
    public const int AncestorsMax = 16;

    private readonly ulong[] _ancestors;

    private View(Fields fields, ulong[] ancestors)
    {
        Session = fields.Session;
        Counter = fields.Counter;
        Id = fields.Id;
        Members = fields.Members;
        InSync = fields.InSync;
        Voters = fields.Voters;
        SizeBytes = fields.SizeBytes;
        Forced = fields.Forced;
        ForcedAncestors = fields.ForcedAncestors;
        _ancestors = ancestors;
    }

    /// <summary>Gets the session that made this view; the view made at creation may name <see cref="SessionId.None"/>.</summary>
    public SessionId Session { get; }

    /// <summary>Gets the number of this view in its line: one more than its parent's, from 1 on.</summary>
    public uint Counter { get; }

    /// <summary>Gets the random identity, never zero.</summary>
    public ulong Id { get; }

    /// <summary>Gets the id of the view that this one changed; 0 for a volume's first view.</summary>
    public ulong ParentId => _ancestors.Length == 0 ? 0 : _ancestors[0];

    /// <summary>Gets the members of the volume.</summary>
    public MemberSet Members { get; }

    /// <summary>Gets the members that may be read; never empty.</summary>
    public MemberSet InSync { get; }

    /// <summary>Gets who keeps views: the members, and a witness where there is one.</summary>
    public MemberSet Voters { get; }

    /// <summary>Gets the size of the volume in bytes.</summary>
    public long SizeBytes { get; }

    /// <summary>Gets whether an operator made this view by force: others may have gone their own way.</summary>
    public bool Forced { get; }

    /// <summary>Gets the ids of the views that this one came from, its parent first.</summary>
    public ReadOnlySpan<ulong> Ancestors => _ancestors;

    /// <summary>Gets which of the <see cref="Ancestors"/> were forced: bit n stands for ancestor n.</summary>
    public ushort ForcedAncestors { get; }

    /// <summary>Gets whether this view or one of the ancestors it remembers was forced.</summary>
    public bool HasForcedLine => Forced || ForcedAncestors != 0;

    /// <summary>Makes the first view of a volume: every member in sync, every member a voter.</summary>
    public static View First(SessionId session, ulong id, MemberSet members, long sizeBytes) =>
        Make(new Fields(session, 1, id, members, members, members, sizeBytes, Forced: false, ForcedAncestors: 0), []);

    /// <summary>Makes the view that follows this one with another in-sync set.</summary>
    /// <param name="session">The session that makes it; never older than this view's.</param>
    /// <param name="id">A fresh random id.</param>
    /// <param name="inSync">The members that may be read from then on.</param>
    /// <param name="forced">Whether an operator made it by force.</param>
    public View Next(SessionId session, ulong id, MemberSet inSync, bool forced = false)
    {
        if (session < Session)
        {
            throw new ArgumentException($"A view of session {session.Number} cannot follow one of session {Session.Number}.", nameof(session));
        }

        var ancestors = new ulong[Math.Min(_ancestors.Length + 1, AncestorsMax)];
        ancestors[0] = Id;
        _ancestors.AsSpan(0, ancestors.Length - 1).CopyTo(ancestors.AsSpan(1));
        var forcedAncestors = (ushort)((ForcedAncestors << 1) | (Forced ? 1 : 0));
        return Make(new Fields(session, checked(Counter + 1), id, Members, inSync, Voters, SizeBytes, forced, forcedAncestors), ancestors);
    }

    /// <summary>Gets whether both are the same view in every field.</summary>
    public bool IsSameAs(View other) =>
        Id == other.Id && Session == other.Session && Counter == other.Counter && Members == other.Members && InSync == other.InSync
        && Voters == other.Voters && SizeBytes == other.SizeBytes && Forced == other.Forced
        && ForcedAncestors == other.ForcedAncestors && Ancestors.SequenceEqual(other.Ancestors);

    /// <summary>Gets the view as messages name it.</summary>
    public override string ToString() =>
        $"view {Session.Number}.{Counter} ({Id:x16}), members {Members}, in sync {InSync}{(Forced ? ", forced" : string.Empty)}";

    private static View Make(Fields fields, ulong[] ancestors)
    {
        var fault = Judge(fields, ancestors);
        if (fault is not null)
        {
            throw new ArgumentException(fault, nameof(fields));
        }

        return new View(fields, ancestors);
    }

    /// <summary>Says what is wrong with a view, or null.</summary>
    private static string? Judge(Fields fields, ReadOnlySpan<ulong> ancestors)
    {
        if (fields.Session.Number > SessionId.MaxNumber)
        {
            return $"A view names session {fields.Session.Number}; the last number is {SessionId.MaxNumber}.";
        }

        if (fields.Id == 0 || fields.Counter == 0)
        {
            return "A view has neither id nor counter zero.";
        }

        if (fields.InSync.IsEmpty || !fields.InSync.IsSubsetOf(fields.Members))
        {
            return $"A view names {fields.InSync} as in sync; that must be some of its members {fields.Members}.";
        }

        if (!fields.Members.IsSubsetOf(fields.Voters))
        {
            return $"A view names the voters {fields.Voters}; all its members {fields.Members} must be among them.";
        }

        if (fields.SizeBytes <= 0)
        {
            return $"A view names a size of {fields.SizeBytes} bytes.";
        }

        // The counter counts the line of views, so it also tells how many ancestors there must be.
        if (ancestors.Length != Math.Min((long)fields.Counter - 1, AncestorsMax))
        {
            return $"View {fields.Counter} of its line names {ancestors.Length} ancestors; it must name all, up to {AncestorsMax}.";
        }

        if (fields.ForcedAncestors >> ancestors.Length != 0)
        {
            return "A view calls ancestors forced that it does not name.";
        }

        for (var i = 0; i < ancestors.Length; i++)
        {
            if (ancestors[i] == 0 || ancestors[i] == fields.Id || ancestors[..i].Contains(ancestors[i]))
            {
                return "A view names an ancestor that is zero, itself, or named twice.";
            }
        }

        return null;
    }

    private readonly record struct Fields(
        SessionId Session,
        uint Counter,
        ulong Id,
        MemberSet Members,
        MemberSet InSync,
        MemberSet Voters,
        long SizeBytes,
        bool Forced,
        ushort ForcedAncestors);
}
