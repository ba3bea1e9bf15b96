using MirrorController.Firmware.Array;
using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>The place of a simulated disk: like a file it is not there until a creation makes it, unless it is a block device.</summary>
public sealed class SimDiskPlace(SimDiskMedia media, SimLoop loop) : IDiskPlace
{
    public string Name => "simulated disk " + media.Name;

    public bool IsDevice => media.IsDevice;

    public DiskFinding Open(out IBlockDevice? device, out string sentence)
    {
        sentence = string.Empty;
        if (media.Faults.IsAway)
        {
            device = null;
            return DiskFinding.Absent;
        }

        var isThere = media.WasMade || media.IsDevice;
        device = isThere ? media.Open(loop) : null;
        return isThere ? DiskFinding.Opened : DiskFinding.Missing;
    }

    public IBlockDevice? Create(long sizeBytes, out bool mustZero, out string sentence)
    {
        mustZero = media.WasMade || media.IsDevice;
        sentence = sizeBytes > media.SizeBytes ? $"The {Name} has {media.SizeBytes} bytes, {sizeBytes} are needed." : string.Empty;
        if (sentence.Length > 0)
        {
            return null;
        }

        media.WasMade = true;
        return media.Open(loop);
    }
}
