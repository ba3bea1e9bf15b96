namespace MirrorController.Tests.Fuzz;

/// <summary>A decoder of bytes that come from outside, and what it owes to any bytes whatever.</summary>
/// <remarks>
/// It decodes them, or refuses them in its documented way; it never throws anything else, never hangs, never takes
/// memory out of proportion. Each run begins afresh, so that an input alone tells what happens.
/// </remarks>
public abstract class FuzzTarget(string name, string source)
{
    /// <summary>Gets the name by which it is asked for.</summary>
    public string Name => name;

    /// <summary>Gets where the bytes come from.</summary>
    public string Source => source;

    /// <summary>Gets how many mutated inputs a check-in is measured by: what takes about a third of a second.</summary>
    public virtual int CheckInRuns => 10_000;

    /// <summary>Gets the length beyond which inputs are not made longer, in bytes.</summary>
    public virtual int InputBytesMax => 4096;

    /// <summary>Gets what a run may allocate whatever the input, in bytes.</summary>
    public virtual long AllocationFixedBytes => 16 * 1024;

    /// <summary>Gets what a run may allocate for each byte of the input, in bytes.</summary>
    public virtual int AllocationPerInputByte => 32;

    /// <summary>Gets words that lie close to the decoder's heart, to be put into inputs.</summary>
    public virtual IReadOnlyList<byte[]> Words => [];

    /// <summary>Makes valid inputs with the product's own encoders; each is decoded.</summary>
    public abstract IEnumerable<byte[]> Seeds();

    /// <summary>Makes the checksums of an input right, so that damage gets past them to the decoder behind.</summary>
    public virtual void Seal(Span<byte> input)
    {
    }

    /// <summary>Gives the decoder an input.</summary>
    /// <returns>True if it decoded it, false if it refused it. An exception is a fault of the decoder.</returns>
    public abstract bool Run(ReadOnlySpan<byte> input);

    /// <inheritdoc/>
    public override string ToString() => name;
}
