using System.Runtime.InteropServices;

namespace MirrorController.HostAgent.Cli;

/// <summary>Ctrl-C, SIGTERM and a terminal that hangs up begin a clean end; a second one does not cut it short.</summary>
internal sealed class EndSignals : IDisposable
{
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly Func<Task> _end;

    /// <summary>Takes the signals from now on.</summary>
    /// <param name="end">Begins the end; called once for each signal.</param>
    public EndSignals(Func<Task> end)
    {
        _end = end;
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP })
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, Take));
        }
    }

    /// <summary>Gets whether the terminal has gone away.</summary>
    public bool HungUp { get; private set; }

    /// <inheritdoc/>
    public void Dispose() => _registrations.ForEach(r => r.Dispose());

    private void Take(PosixSignalContext context)
    {
        context.Cancel = true;
        HungUp |= context.Signal == PosixSignal.SIGHUP;
        _ = _end();
    }
}
