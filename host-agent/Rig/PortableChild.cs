using System.Diagnostics;

namespace MirrorController.HostAgent.Rig;

/// <summary>A child process where there is no setsid: its output is copied to its log by the rig.</summary>
internal sealed class PortableChild : IChild
{
    private readonly Process _process;
    private readonly StreamWriter _log;

    private PortableChild(Process process, StreamWriter log)
    {
        _process = process;
        _log = log;
        Pid = process.Id;
        Exited = WaitForEnd();
    }

    /// <inheritdoc/>
    public int Pid { get; }

    /// <inheritdoc/>
    public Task<ChildExit> Exited { get; }

    /// <summary>Starts a process.</summary>
    public static PortableChild Start(ChildCommand command)
    {
        var info = new ProcessStartInfo(command.File, command.Arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (OperatingSystem.IsWindows())
        {
            // Ctrl-C goes to a group; the children have one of their own.
            info.CreateNewProcessGroup = true;
        }

        foreach (var (key, value) in command.Environment)
        {
            info.Environment[key] = value;
        }

        try
        {
            var process = Process.Start(info) ?? throw new IOException($"{command.File} cannot be started.");
            return new PortableChild(process, new StreamWriter(command.LogPath, append: true) { AutoFlush = true });
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new IOException($"{command.File} cannot be started: {e.Message.TrimEnd('.')}.", e);
        }
    }

    /// <inheritdoc/>
    /// <remarks>The end of its input is the sign to end: there is no portable signal for it.</remarks>
    public void Terminate() => _process.StandardInput.Close();

    /// <inheritdoc/>
    public void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended already.
        }
    }

    /// <inheritdoc/>
    public void Stop() => throw new PlatformNotSupportedException("A silent cut needs Linux; cut without --silent.");

    private async Task<ChildExit> WaitForEnd()
    {
        await Task.WhenAll(Copy(_process.StandardOutput), Copy(_process.StandardError), _process.WaitForExitAsync());
        await _log.DisposeAsync();
        return new ChildExit(_process.ExitCode, null);
    }

    private async Task Copy(StreamReader from)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            lock (_log)
            {
                _log.WriteLine(line);
            }
        }
    }
}
