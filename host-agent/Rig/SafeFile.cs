namespace MirrorController.HostAgent.Rig;

/// <summary>Replaces small files so that a crash leaves the old content or the new: write, fsync, rename, fsync of the folder.</summary>
internal static class SafeFile
{
    /// <summary>Replaces a file's content.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">Its new content.</param>
    /// <param name="secret">Whether only its owner may read it.</param>
    public static void Replace(string path, ReadOnlySpan<byte> content, bool secret = false)
    {
        var folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        var next = path + ".next";
        File.Delete(next);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (secret && !OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(next, options))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(next, path, overwrite: true);
        SyncFolder(folder);
    }

    private static void SyncFolder(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var fd = Native.Open(folder, Native.OpenReadOnly | Native.OpenCloseOnExec);
        if (fd >= 0)
        {
            _ = Native.FSync(fd);
            _ = Native.Close(fd);
        }
    }
}
