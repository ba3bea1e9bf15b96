using System.Net.Sockets;

namespace MirrorController.HostAgent.Rig;

/// <summary>The rig's Unix socket by its path, also where that is longer than the system's 107 bytes.</summary>
internal static class RigSocket
{
    /// <summary>Listens; a socket file left behind by a killed supervisor is removed.</summary>
    /// <remarks>The caller holds the rig's lock, so a file that is there belongs to nobody.</remarks>
    public static Socket Listen(RigPaths paths)
    {
        File.Delete(paths.Socket);
        return Do(paths, endPoint =>
        {
            var socket = New();
            socket.Bind(endPoint);
            socket.Listen();
            return socket;
        });
    }

    /// <summary>Connects; null when no supervisor listens.</summary>
    /// <exception cref="Cli.CliFault">This user may not look.</exception>
    public static Socket? Connect(RigPaths paths)
    {
        if (!RigFolder.Has(paths.Socket))
        {
            return null;
        }

        return Do(paths, endPoint =>
        {
            var socket = New();
            try
            {
                socket.Connect(endPoint);
                return socket;
            }
            catch (SocketException e)
            {
                socket.Dispose();
                if (e.SocketErrorCode == SocketError.AccessDenied)
                {
                    throw RigFolder.MayNotBeRead(paths.Socket);
                }

                return null;
            }
        });
    }

    private static Socket New() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    private static T Do<T>(RigPaths paths, Func<UnixDomainSocketEndPoint, T> use)
    {
        if (RigPaths.FitsSocket(paths.Socket))
        {
            return use(new UnixDomainSocketEndPoint(paths.Socket));
        }

        if (!OperatingSystem.IsLinux())
        {
            throw new IOException($"{paths.Socket} is too long for a socket; use a --dir with a shorter path.");
        }

        // Through a descriptor of the folder any folder has a short name.
        var folder = Native.Open(paths.Folder, Native.OpenPath | Native.OpenCloseOnExec);
        if (folder < 0)
        {
            throw new IOException($"{paths.Folder} cannot be opened.");
        }

        try
        {
            return use(new UnixDomainSocketEndPoint($"/proc/self/fd/{folder}/{Path.GetFileName(paths.Socket)}"));
        }
        finally
        {
            _ = Native.Close(folder);
        }
    }
}
