using MirrorController.HostAgent.Rig.Torture;
using Spectre.Console;

namespace MirrorController.HostAgent.Cli;

/// <summary>How far a torture is, on stderr: a bar on a terminal, a line for each recovery on a pipe.</summary>
internal static class TortureProgress
{
    /// <summary>Runs the torture and shows its progress.</summary>
    public static async Task<TortureFault?> RunAsync(Screen screen, int cuts, Func<Action<string, int>, Task<TortureFault?>> run)
    {
        if (!screen.ErrorIsTerminal)
        {
            return await run((cut, done) => screen.Error($"{done}/{cuts}  recovered from a cut of {cut}"));
        }

        return await screen.ErrorConsole.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                var task = progress.AddTask("torture", maxValue: cuts);
                return await run((cut, done) =>
                {
                    task.Value = done;
                    task.Description = Markup.Escape($"{done}/{cuts} {cut}");
                });
            });
    }
}
