namespace MirrorController.Tests.Fuzz;

/// <summary>A decoder did what no input may make it do.</summary>
public sealed class FuzzFailedException : Exception
{
    public FuzzFailedException(FuzzTarget target, byte[] input, string what, Exception? inner = null)
        : base($"{target.Name}: {what}", inner)
    {
        Input = input;
    }

    /// <summary>Gets the input.</summary>
    public byte[] Input { get; }
}
