using System.Numerics;

namespace MirrorController.Protocol.Views;

/// <summary>A set of member numbers, 0 to 15, in one word. Enumerating it allocates nothing.</summary>
/// <param name="Bits">Bit n stands for member n.</param>
public readonly record struct MemberSet(ushort Bits)
{
    /// <summary>Member numbers are below this.</summary>
    public const int CountMax = 16;

    /// <summary>The set without a member.</summary>
    public static readonly MemberSet Empty;

    /// <summary>Gets how many members are in the set.</summary>
    public int Count => BitOperations.PopCount(Bits);

    /// <summary>Gets whether no member is in the set.</summary>
    public bool IsEmpty => Bits == 0;

    /// <summary>Gets the lowest member number of a set that is not empty.</summary>
    public int First
    {
        get
        {
            Invariant.Check(Bits != 0, "an empty set has no first member");
            return BitOperations.TrailingZeroCount(Bits);
        }
    }

    /// <summary>Makes a set of the members named.</summary>
    public static MemberSet Of(params ReadOnlySpan<int> members)
    {
        var set = Empty;
        foreach (var member in members)
        {
            set = set.With(member);
        }

        return set;
    }

    /// <summary>Makes the set of the members 0 to <paramref name="count"/> - 1.</summary>
    public static MemberSet Range(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, CountMax);
        return new MemberSet((ushort)((1 << count) - 1));
    }

    /// <summary>Gets whether a member is in the set.</summary>
    public bool Contains(int member) => (uint)member < CountMax && (Bits & (1 << member)) != 0;

    /// <summary>Gets whether all members of this set are in the other one, too.</summary>
    public bool IsSubsetOf(MemberSet other) => (Bits & ~other.Bits) == 0;

    /// <summary>Gets this set with one member more.</summary>
    public MemberSet With(int member) => new((ushort)(Bits | Bit(member)));

    /// <summary>Gets this set without one member.</summary>
    public MemberSet Without(int member) => new((ushort)(Bits & ~Bit(member)));

    /// <summary>Gets the members in either set.</summary>
    public static MemberSet operator |(MemberSet left, MemberSet right) => new((ushort)(left.Bits | right.Bits));

    /// <summary>Gets the members in both sets.</summary>
    public static MemberSet operator &(MemberSet left, MemberSet right) => new((ushort)(left.Bits & right.Bits));

    /// <summary>Gets the members of the left set that are not in the right one.</summary>
    public static MemberSet operator -(MemberSet left, MemberSet right) => new((ushort)(left.Bits & ~right.Bits));

    /// <summary>Enumerates the member numbers, lowest first.</summary>
    public Enumerator GetEnumerator() => new(Bits);

    /// <summary>Gets the set as messages name it: <c>{0, 1}</c>.</summary>
    public override string ToString()
    {
        var numbers = new List<int>();
        foreach (var member in this)
        {
            numbers.Add(member);
        }

        return "{" + string.Join(", ", numbers) + "}";
    }

    private static int Bit(int member)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(member);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(member, CountMax);
        return 1 << member;
    }

    /// <summary>The state of an enumeration.</summary>
    public struct Enumerator
    {
        private uint _rest;

        internal Enumerator(ushort bits)
        {
            _rest = bits;
            Current = -1;
        }

        /// <summary>Gets the member number reached.</summary>
        public int Current { get; private set; }

        /// <summary>Goes to the next member; false at the end.</summary>
        public bool MoveNext()
        {
            if (_rest == 0)
            {
                return false;
            }

            Current = BitOperations.TrailingZeroCount(_rest);
            _rest &= _rest - 1;
            return true;
        }
    }
}
