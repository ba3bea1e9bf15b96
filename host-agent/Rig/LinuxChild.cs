using System.Collections;
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace MirrorController.HostAgent.Rig;

/// <summary>A child process on Linux: a session of its own (setsid), default signals, output to a file, nothing inherited.</summary>
/// <remarks>
/// The system's own Process class gives neither a new session nor output to a file: its children would hold the rig's
/// terminal and pipes, and a Ctrl-C would reach the boards before the agent's last flush.
/// A process id stays ours until it is reaped; reaping and signalling exclude each other, so no signal hits a stranger.
/// </remarks>
internal sealed class LinuxChild : IChild
{
    private const int OpenForAppend = 0x1 | 0x40 | 0x400; // O_WRONLY | O_CREAT | O_APPEND
    private const int StopPollsMax = 1000;
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource<ChildExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _reaped;

    private LinuxChild(int pid) => Pid = pid;

    /// <inheritdoc/>
    public int Pid { get; }

    /// <inheritdoc/>
    public Task<ChildExit> Exited => _exited.Task;

    /// <summary>Starts a process.</summary>
    public static LinuxChild Start(ChildCommand command)
    {
        var child = new LinuxChild(Spawn(command));
        new Thread(child.WaitForEnd) { IsBackground = true, Name = "wait for " + child.Pid }.Start();
        return child;
    }

    /// <inheritdoc/>
    public void Terminate() => Signal(Native.SigTerm);

    /// <inheritdoc/>
    public void Kill() => Signal(Native.SigKill);

    /// <inheritdoc/>
    public void Stop()
    {
        Signal(Native.SigStop);
        // The signal is delivered soon, not at once: a thread of the process may still run.
        for (var i = 0; i < StopPollsMax && ProcessTable.Read(Pid) is { IsStopped: false, IsDead: false }; i++)
        {
            Thread.Sleep(1);
        }
    }

    private void Signal(int signal)
    {
        lock (_lock)
        {
            if (!_reaped)
            {
                _ = Native.Kill(Pid, signal);
            }
        }
    }

    private unsafe void WaitForEnd()
    {
        const int Interrupted = 4;
        var info = stackalloc byte[128];
        while (Native.WaitId(Native.WaitPid, Pid, info, Native.WaitExited | Native.WaitNoReap) != 0
            && Marshal.GetLastPInvokeError() == Interrupted)
        {
        }

        int status;
        int waited;
        lock (_lock)
        {
            waited = Native.WaitForPid(Pid, out status, 0);
            _reaped = true;
        }

        var signal = status & 0x7f;
        _exited.SetResult(waited != Pid ? default : signal == 0 ? new ChildExit((status >> 8) & 0xff, null) : new ChildExit(null, signal));
    }

    private static unsafe int Spawn(ChildCommand command)
    {
        using var strings = new NativeStrings();
        var argv = strings.List([command.File, .. command.Arguments]);
        var envp = strings.List(Environment(command));
        var actions = stackalloc byte[Native.OpaqueBytes];
        var attributes = stackalloc byte[Native.OpaqueBytes];
        var signals = stackalloc byte[Native.OpaqueBytes];
        _ = Native.FileActionsInit(actions);
        _ = Native.AttributesInit(attributes);
        try
        {
            _ = Native.FileActionsAddOpen(actions, 0, strings.One("/dev/null"), Native.OpenReadOnly, 0);
            _ = Native.FileActionsAddOpen(actions, 1, strings.One(command.LogPath), OpenForAppend, 0x1b4 /* 0664 */);
            _ = Native.FileActionsAddDup2(actions, 1, 2);
            CloseTheRest(actions);
            _ = Native.SigFillSet(signals);
            _ = Native.AttributesSetSigDefault(attributes, signals);
            _ = Native.SigEmptySet(signals);
            _ = Native.AttributesSetSigMask(attributes, signals);
            _ = Native.AttributesSetFlags(attributes, Native.SpawnSetSid | Native.SpawnSetSigDef | Native.SpawnSetSigMask);
            var error = Native.Spawn(out var pid, strings.One(command.File), actions, attributes, argv, envp);
            return error == 0 ? pid : throw new IOException($"{command.File} cannot be started: {new Win32Exception(error).Message}.");
        }
        finally
        {
            _ = Native.FileActionsDestroy(actions);
            _ = Native.AttributesDestroy(attributes);
        }
    }

    /// <summary>Whoever started the rig may have left more than three descriptors open; a board must not keep them so.</summary>
    private static unsafe void CloseTheRest(byte* actions)
    {
        try
        {
            _ = Native.FileActionsAddCloseFrom(actions, 3);
        }
        catch (EntryPointNotFoundException)
        {
            // A C library without it: what .NET opened closes by itself at the exec.
        }
    }

    private static List<string> Environment(ChildCommand command)
    {
        var list = new List<string>();
        foreach (DictionaryEntry entry in System.Environment.GetEnvironmentVariables())
        {
            if (!command.Environment.ContainsKey((string)entry.Key))
            {
                list.Add($"{entry.Key}={entry.Value}");
            }
        }

        list.AddRange(command.Environment.Select(e => $"{e.Key}={e.Value}"));
        return list;
    }

    /// <summary>C strings that live until the call has been made.</summary>
    private sealed unsafe class NativeStrings : IDisposable
    {
        private readonly List<nint> _blocks = [];

        public byte* One(string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text + '\0');
            var block = (byte*)NativeMemory.Alloc((nuint)bytes.Length);
            bytes.CopyTo(new Span<byte>(block, bytes.Length));
            _blocks.Add((nint)block);
            return block;
        }

        public byte** List(List<string> texts)
        {
            var list = (byte**)NativeMemory.AllocZeroed((nuint)texts.Count + 1, (nuint)sizeof(byte*));
            _blocks.Add((nint)list);
            for (var i = 0; i < texts.Count; i++)
            {
                list[i] = One(texts[i]);
            }

            return list;
        }

        public void Dispose() => _blocks.ForEach(block => NativeMemory.Free((void*)block));
    }
}
