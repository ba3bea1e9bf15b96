using MirrorController.HostAgent.Cli;

namespace MirrorController.HostAgent.Rig;

/// <summary>Looks into a rig's folder, and tells what is not there from what may not be read.</summary>
internal static class RigFolder
{
    /// <summary>Tells whether a file or folder is there.</summary>
    /// <exception cref="CliFault">This user may not look.</exception>
    public static bool Has(string path)
    {
        try
        {
            File.GetAttributes(path);
            return true;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            throw MayNotBeRead(path);
        }
    }

    /// <summary>Checks that the rig's folder is there.</summary>
    /// <exception cref="CliFault">It is not, or this user may not look.</exception>
    public static void Check(RigPaths paths)
    {
        if (!Has(paths.Folder))
        {
            throw Missing(paths);
        }
    }

    /// <summary>Makes the fault for a folder without a rig.</summary>
    public static CliFault Missing(RigPaths paths) => new(
        $"There is no rig in {paths.Folder}; name its folder with --dir, or start one with 'mirrorctl rig up{paths.DirArgument}'.", ExitCode.Usage);

    /// <summary>Makes the fault for a path that this user may not look at.</summary>
    public static CliFault MayNotBeRead(string path) => new(
        $"{path} may not be read by this user; the rig's folder is its owner's alone.", ExitCode.CannotTell);
}
