namespace MirrorController.Firmware.Disks;

/// <summary>What an emulated disk is to do wrong, for tests and the rig.</summary>
public sealed class DiskFaults
{
    private bool _isHanging;

    /// <summary>Gets or sets how many of the next writes and zeroings fail; their data are not taken.</summary>
    public int FailWrites { get; set; }

    /// <summary>Gets or sets how many of the next reads fail.</summary>
    public int FailReads { get; set; }

    /// <summary>Gets or sets how many of the next syncs fail. The cached data is lost, and a later sync succeeds without it, as systems do it that mark failed pages clean.</summary>
    public int FailSyncs { get; set; }

    /// <summary>Gets or sets whether operations begin and do not end until this is false again.</summary>
    public bool IsHanging
    {
        get => _isHanging;
        set
        {
            _isHanging = value;
            if (!value)
            {
                Released?.Invoke();
            }
        }
    }

    internal Action? Released { get; set; }
}
