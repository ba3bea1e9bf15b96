namespace MirrorController.Tests.Harness;

/// <summary>A sector that differs from zero or from the medium: what is durable, and the versions written since.</summary>
internal sealed class SimSector
{
    /// <summary>Gets or sets what a power cut cannot take; null is zeroes.</summary>
    public byte[]? Durable { get; set; }

    /// <summary>Gets the versions written since, oldest first, each with the number of its write.</summary>
    public List<(long Write, byte[] Bytes)> Versions { get; } = [];

    /// <summary>Gets or sets what a failed sync left: still read, never written.</summary>
    public byte[]? CleanButLost { get; set; }

    /// <summary>Gets what a read returns; null is zeroes.</summary>
    public byte[]? Visible => Versions.Count > 0 ? Versions[^1].Bytes : CleanButLost ?? Durable;
}
