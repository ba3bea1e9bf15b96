using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace MirrorController.Protocol;

/// <summary>Checks of what must always hold; on in release, too. A broken one halts the node: better no answer than a wrong one.</summary>
/// <remarks>It judges local state only. What a peer sends is validated and refused, never asserted.</remarks>
public static class Invariant
{
    /// <summary>Throws when the condition does not hold.</summary>
    /// <param name="condition">What must hold.</param>
    /// <param name="sentence">What must hold, as a sentence with the rule's name where it has one.</param>
    /// <exception cref="InvariantException">The condition does not hold: a bug.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check([DoesNotReturnIf(false)] bool condition, string sentence)
    {
        if (!condition)
        {
            Fail(sentence);
        }
    }

    [DoesNotReturn]
    private static void Fail(string sentence) => throw new InvariantException(sentence);
}

/// <summary>A bug was found: something that must always hold does not.</summary>
public sealed class InvariantException(string sentence) : Exception("Broken invariant: " + sentence);
