using System.Text;
using MirrorController.Protocol.Seams;

namespace MirrorController.HostAgent.Nbd;

/// <summary>The volumes that clients may choose from, by name.</summary>
internal sealed class NbdExports
{
    private readonly List<IVolume> _volumes = [];

    /// <summary>Gets the volumes in the order in which they were added.</summary>
    public IReadOnlyList<IVolume> All => _volumes;

    /// <summary>Adds a volume.</summary>
    /// <exception cref="ArgumentException">The name is empty, too long or taken.</exception>
    public void Add(IVolume volume)
    {
        if (volume.Name.Length == 0 || Encoding.UTF8.GetByteCount(volume.Name) > NbdConstants.NameBytesMax)
        {
            throw new ArgumentException($"The name of an export has 1 to {NbdConstants.NameBytesMax} bytes.", nameof(volume));
        }

        if (Find(volume.Name) is not null)
        {
            throw new ArgumentException($"There is an export named '{volume.Name}' already.", nameof(volume));
        }

        _volumes.Add(volume);
    }

    /// <summary>Finds a volume; the empty name means the only one.</summary>
    public IVolume? Find(string name)
    {
        if (name.Length == 0)
        {
            return _volumes.Count == 1 ? _volumes[0] : null;
        }

        foreach (var volume in _volumes)
        {
            if (string.Equals(volume.Name, name, StringComparison.Ordinal))
            {
                return volume;
            }
        }

        return null;
    }
}
