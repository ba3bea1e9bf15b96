using System.Text.Json;
using MirrorController.HostAgent.Control;
using MirrorController.HostAgent.Rig;
using Spectre.Console;

namespace MirrorController.HostAgent.Cli;

/// <summary>The rig in front: starts it, says 'ready', shows it live until it goes down.</summary>
/// <remarks>On a terminal a table that changes in place; on a pipe one line for each change.</remarks>
internal sealed class RigFront(Screen screen, RigSession session, bool json, EndSignals signals)
{
    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(500);
    private readonly RigSupervisor _supervisor = session.Supervisor;

    /// <summary>Runs until the rig is down.</summary>
    /// <exception cref="CliFault">It does not come up.</exception>
    public async Task<int> RunAsync()
    {
        try
        {
            await StartAsync();
        }
        catch (OperationCanceledException)
        {
            await _supervisor.DownAsync();
            return ExitCode.Failed;
        }
        catch (Exception e) when (e is IOException or ControlException)
        {
            await _supervisor.DownAsync();
            throw new CliFault(e.Message, NodeFault.CodeOf(e));
        }

        PrintReady();
        await ShowAsync();
        if (!signals.HungUp && !json)
        {
            screen.Markup("shutting down: the agent flushes, then the boards end");
        }

        await _supervisor.DownAsync();
        if (!signals.HungUp && !json)
        {
            if (_supervisor.Undurable is { } undurable)
            {
                screen.Line(undurable);
            }

            screen.Markup("the rig is down");
        }

        return ExitCode.Done;
    }

    private async Task StartAsync()
    {
        if (json || !screen.IsTerminal)
        {
            await _supervisor.UpAsync(CancellationToken.None);
            return;
        }

        var first = _supervisor.State.Created ? "starting the boards and the agent" : "starting the boards, creating the volume";
        await screen.Console.Status().StartAsync(first, _ => _supervisor.UpAsync(CancellationToken.None));
    }

    private void PrintReady()
    {
        var rig = _supervisor.Snapshot();
        if (json)
        {
            screen.Line(JsonSerializer.Serialize(rig, RigJson.Default.RigModel));
            return;
        }

        foreach (var line in RigText.Ready(rig, session.Paths.DirArgument))
        {
            screen.Markup(line);
        }
    }

    private async Task ShowAsync()
    {
        try
        {
            if (json)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, _supervisor.GoingDown);
            }
            else if (screen.IsTerminal)
            {
                screen.Markup("[dim]Ctrl-C shuts the rig down[/]");
                await ShowLiveAsync();
            }
            else
            {
                await ShowLinesAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // It goes down.
        }
    }

    private Task ShowLiveAsync() => screen.Console.Live(new Text("")).AutoClear(false).Cropping(VerticalOverflowCropping.Bottom).StartAsync(async live =>
    {
        while (true)
        {
            var lines = await LinesAsync();
            try
            {
                live.UpdateTarget(new Rows(lines.Select(l => new Markup(l))));
            }
            catch (IOException)
            {
                // The terminal has gone; the signal for it comes by itself.
            }

            await Task.Delay(Refresh, _supervisor.GoingDown);
        }
    });

    private async Task ShowLinesAsync()
    {
        var before = new List<string>();
        while (true)
        {
            var lines = await LinesAsync(changing: false);
            foreach (var line in lines.Except(before, StringComparer.Ordinal))
            {
                screen.Markup(line);
            }

            before = lines;
            await Task.Delay(Refresh, _supervisor.GoingDown);
        }
    }

    /// <summary>The rig's nodes and the volume's tree; without what changes all the time where each change is a line.</summary>
    private async Task<List<string>> LinesAsync(bool changing = true)
    {
        var rig = _supervisor.Snapshot();
        var lines = RigText.Nodes(rig).ToList();
        if (rig.Host.Process == NodeProcess.Running && await _supervisor.Client.GetStatusAsync(_supervisor.GoingDown) is { } status)
        {
            lines.AddRange(StatusTree.Lines(changing ? status : Steady(status)));
        }

        return lines;
    }

    private static StatusModel Steady(StatusModel status) => status with
    {
        Volumes = [.. status.Volumes.Select(v => v with
        {
            AtRisk = new AtRiskModel(0, 0),
            Members = [.. v.Members.Select(m => m with { NvmUsedPercent = null })],
        })],
    };
}
