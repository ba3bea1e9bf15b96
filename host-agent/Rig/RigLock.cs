using MirrorController.HostAgent.Cli;

namespace MirrorController.HostAgent.Rig;

/// <summary>The mark that a supervisor runs on a folder: a lock that the system takes away with the process.</summary>
internal static class RigLock
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    /// <summary>Takes the lock; null when a supervisor holds it.</summary>
    /// <exception cref="CliFault">The folder cannot be used.</exception>
    public static IDisposable? TryTake(RigPaths paths)
    {
        try
        {
            CreateFolder(paths.Folder);
            return new FileStream(paths.Lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(paths.Lock))
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliFault($"The rig's folder {paths.Folder} cannot be used: {e.Message.TrimEnd('.')}; name another with --dir.");
        }
    }

    /// <summary>Waits until the supervisor has let go of the folder.</summary>
    public static async Task WaitUntilFreeAsync(RigPaths paths, TimeSpan max)
    {
        for (var waited = TimeSpan.Zero; waited < max; waited += Poll)
        {
            using var taken = TryTake(paths);
            if (taken is not null)
            {
                return;
            }

            await Task.Delay(Poll);
        }
    }

    private static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            // The secret and the mirrors are nobody else's.
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
