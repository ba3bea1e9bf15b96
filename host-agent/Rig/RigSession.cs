using MirrorController.HostAgent.Cli;
using MirrorController.HostAgent.Control;

namespace MirrorController.HostAgent.Rig;

/// <summary>A supervisor's hold on a rig's folder: lock, files, socket, processes.</summary>
internal sealed class RigSession : IAsyncDisposable
{
    private readonly IDisposable _lock;
    private readonly RigServer _server;

    private RigSession(RigPaths paths, RigSupervisor supervisor, RigServer server, IDisposable taken)
    {
        Paths = paths;
        Supervisor = supervisor;
        _server = server;
        _lock = taken;
    }

    /// <summary>Gets where everything is.</summary>
    public RigPaths Paths { get; }

    /// <summary>Gets the owner of the processes.</summary>
    public RigSupervisor Supervisor { get; }

    /// <summary>Takes the folder, ends leftovers, writes the files; starts nothing yet.</summary>
    /// <exception cref="CliFault">The rig runs already, or the options do not fit it.</exception>
    public static async Task<RigSession> OpenAsync(RigPaths paths, RigOptions options, IBoardDirectory directory)
    {
        var taken = await PrepareAsync(paths, options);
        try
        {
            var supervisor = new RigSupervisor(paths, RigState.Load(paths)!, directory);
            return new RigSession(paths, supervisor, RigServer.Start(paths, supervisor), taken);
        }
        catch (IOException e)
        {
            taken.Dispose();
            throw new CliFault(e.Message);
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <summary>Takes the folder, ends leftovers and brings state and files up to the options; returns the lock.</summary>
    public static async Task<IDisposable> PrepareAsync(RigPaths paths, RigOptions options)
    {
        var taken = RigLock.TryTake(paths)
            ?? throw new CliFault($"A rig runs already in {paths.Folder}; see it with 'mirrorctl rig status{paths.DirArgument}', end it with 'mirrorctl rig down{paths.DirArgument}'.");
        try
        {
            var state = options.Apply(RigState.Load(paths), paths);
            await Leftovers.EndAsync(Leftovers.Find(paths));
            state = WithFreePorts(state);
            state.Save(paths);
            RigFiles.Write(paths, state);
            return taken;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            taken.Dispose();
            throw new CliFault($"The rig in {paths.Folder} cannot be prepared: {e.Message}");
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Supervisor.DownAsync();
        await _server.DisposeAsync();
        Supervisor.Dispose();
        _lock.Dispose();
    }

    /// <summary>A port of ours that somebody else has taken meanwhile, or that the user now wants for NBD, is replaced: only the configurations name it.</summary>
    private static RigState WithFreePorts(RigState state)
    {
        using var ports = new FreePorts();
        ports.Leave(state.Nbd);
        return state with
        {
            Http = ports.KeepOrTake(state.Http),
            Boards = [.. state.Boards.Select(b => b with { Listen = ports.KeepOrTake(b.Listen) })],
        };
    }
}
