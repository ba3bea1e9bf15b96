namespace MirrorController.Tests.Fuzz;

/// <summary>Gives a pure decoder an input; true if it decoded it.</summary>
public delegate bool Decode(ReadOnlySpan<byte> input);

/// <summary>Makes the checksums of an input right.</summary>
public delegate void Seal(Span<byte> input);

/// <summary>A decoder that is a function of its bytes.</summary>
internal sealed class Decoder(string name, string source, Decode decode, Func<IEnumerable<byte[]>> seeds, Seal? seal = null) : FuzzTarget(name, source)
{
    private IReadOnlyList<byte[]> _words = [];

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> Words => _words;

    /// <summary>Sets <see cref="Words"/>.</summary>
    public Decoder With(IReadOnlyList<byte[]> words)
    {
        _words = words;
        return this;
    }

    /// <inheritdoc/>
    public override IEnumerable<byte[]> Seeds() => seeds();

    /// <inheritdoc/>
    public override void Seal(Span<byte> input) => seal?.Invoke(input);

    /// <inheritdoc/>
    public override bool Run(ReadOnlySpan<byte> input) => decode(input);
}
