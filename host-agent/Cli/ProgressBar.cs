using Spectre.Console;

namespace MirrorController.HostAgent.Cli;

/// <summary>A bar with rate and time to go on stderr, for work that is told how far it is; nothing on a pipe.</summary>
internal static class ProgressBar
{
    /// <summary>Runs work under a bar.</summary>
    public static async Task<T> RunAsync<T>(Screen screen, string title, Func<Action<long, long>, Task<T>> work)
    {
        if (!screen.ErrorIsTerminal)
        {
            return await work(static (_, _) => { });
        }

        return await screen.ErrorConsole.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                var task = progress.AddTask(title, maxValue: double.PositiveInfinity);
                return await work((done, total) =>
                {
                    task.MaxValue = Math.Max(total, 1);
                    task.Value = done;
                });
            });
    }
}
