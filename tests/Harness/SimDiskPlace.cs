using MirrorController.Firmware.Array;
using MirrorController.Protocol.Seams;

namespace MirrorController.Tests.Harness;

/// <summary>The place of a simulated disk: like a file, it is not there until a creation makes it.</summary>
public sealed class SimDiskPlace(SimDiskMedia media, SimLoop loop) : IDiskPlace
{
    public string Name => "simulated disk " + media.Name;

    public DiskFinding Open(out IBlockDevice? device, out string sentence)
    {
        sentence = string.Empty;
        if (media.Faults.IsAway)
        {
            device = null;
            return DiskFinding.Absent;
        }

        device = media.WasMade ? media.Open(loop) : null;
        return media.WasMade ? DiskFinding.Opened : DiskFinding.Missing;
    }

    public IBlockDevice? Create(long sizeBytes, out bool mustZero, out string sentence)
    {
        mustZero = media.WasMade;
        sentence = sizeBytes > media.SizeBytes ? $"The {Name} has {media.SizeBytes} bytes, {sizeBytes} are needed." : string.Empty;
        if (sentence.Length > 0)
        {
            return null;
        }

        media.WasMade = true;
        return media.Open(loop);
    }
}
