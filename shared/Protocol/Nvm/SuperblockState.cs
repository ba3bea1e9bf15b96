namespace MirrorController.Protocol.Nvm;

/// <summary>How one copy of a superblock was found.</summary>
public enum SuperblockState
{
    /// <summary>Wholly 0x00 or wholly 0xFF.</summary>
    Blank,

    /// <summary>Without our magic.</summary>
    Foreign,

    /// <summary>Ours, but its CRC or a field does not hold: torn by a power cut, or damaged.</summary>
    Damaged,

    /// <summary>Ours, of a format that this version does not know.</summary>
    Newer,

    /// <summary>Ours and whole.</summary>
    Valid,
}

/// <summary>Which copy of a pair counts.</summary>
/// <remarks>
/// Whatever is overwritten in place has two copies, written alternately, each with a sequence number and a CRC. The newest whole one counts:
/// <code>
///   row  copy 0        copy 1        counts
///   1    valid n       valid m       the higher sequence
///   2    valid n       valid n       none: two generations cannot have one number
///   3    valid         not valid     copy 0 (a cut tore the write of copy 1)
///   4    not valid     valid         copy 1
///   5    newer         any           none, newer: refused with both numbers, unless the other is valid with a higher sequence
///   6    blank         blank         none, blank
///   7    damaged       any but 3-5   none, damaged
///   8    foreign       foreign/blank none, foreign
/// </code>
/// </remarks>
public static class SuperblockPair
{
    /// <summary>Chooses between two copies.</summary>
    /// <param name="state0">How copy 0 was found.</param>
    /// <param name="sequence0">Its sequence, if valid or newer.</param>
    /// <param name="state1">How copy 1 was found.</param>
    /// <param name="sequence1">Its sequence, if valid or newer.</param>
    /// <returns>The state of the pair, and the copy that counts if that is <see cref="SuperblockState.Valid"/> or <see cref="SuperblockState.Newer"/>, else -1.</returns>
    public static (SuperblockState State, int Copy) Choose(SuperblockState state0, ulong sequence0, SuperblockState state1, ulong sequence1)
    {
        var known0 = state0 is SuperblockState.Valid or SuperblockState.Newer;
        var known1 = state1 is SuperblockState.Valid or SuperblockState.Newer;
        if (known0 && known1)
        {
            if (sequence0 == sequence1)
            {
                return (SuperblockState.Damaged, -1);
            }

            return sequence0 > sequence1 ? (state0, 0) : (state1, 1);
        }

        if (known0)
        {
            return (state0, 0);
        }

        if (known1)
        {
            return (state1, 1);
        }

        if (state0 == SuperblockState.Damaged || state1 == SuperblockState.Damaged)
        {
            return (SuperblockState.Damaged, -1);
        }

        return state0 == SuperblockState.Foreign || state1 == SuperblockState.Foreign
            ? (SuperblockState.Foreign, -1)
            : (SuperblockState.Blank, -1);
    }
}
