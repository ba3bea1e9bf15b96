namespace MirrorController.HostAgent.Rig.Torture;

/// <summary>What <c>rig torture</c> is asked for.</summary>
/// <param name="Cuts">How many cuts of power.</param>
/// <param name="Seed">What the plan and the load are made from.</param>
/// <param name="Rig">The rig that is tortured.</param>
internal sealed record TortureOptions(int Cuts, int Seed, RigOptions Rig)
{
    public const int CutsDefault = 100;
    public const int CutsMax = 1_000_000;

    /// <summary>The default size in bytes: small, for all of it is read and compared after every cut.</summary>
    public const long SizeDefault = 16 << 20;

    /// <summary>The largest size in bytes, for the same reason.</summary>
    public const long SizeMax = 1L << 30;
}
