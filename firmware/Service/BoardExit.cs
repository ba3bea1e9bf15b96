namespace MirrorController.Firmware.Service;

/// <summary>The exit codes of <c>mirror-board</c>.</summary>
internal static class BoardExit
{
    /// <summary>A clean end.</summary>
    public const int Done = 0;

    /// <summary>The board cannot run: its address is taken, its chip or disk is in use, or a bug was found.</summary>
    public const int Unusable = 2;

    /// <summary>Wrong usage or configuration.</summary>
    public const int Usage = 64;
}
