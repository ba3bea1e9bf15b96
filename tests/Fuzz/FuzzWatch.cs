namespace MirrorController.Tests.Fuzz;

/// <summary>Runs inputs on a thread of its own, so that one that never ends is a failure and not the end of everything.</summary>
public static class FuzzWatch
{
    private const int LookEveryMs = 500;

    /// <summary>Runs something that gives a target inputs, to its end.</summary>
    /// <exception cref="FuzzFailedException">An input made the target fail, or hang: then its thread is left behind.</exception>
    public static void Guard(FuzzTarget target, Action<FuzzRun> inputs)
    {
        var run = new FuzzRun(target);
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                inputs(run);
            }
            catch (Exception e)
            {
                failure = e;
            }
        })
        {
            IsBackground = true,
            Name = target.Name,
        };
        thread.Start();
        while (!thread.Join(LookEveryMs))
        {
            if (run.IsHanging && run.Current is { } input)
            {
                throw new FuzzFailedException(target, input, $"one input has taken longer than {FuzzRun.HangMs / 1000} s.");
            }
        }

        if (failure is not null)
        {
            throw new InvalidOperationException(failure.Message, failure);
        }
    }

    /// <summary>Writes a failing input into a folder and gets its path.</summary>
    public static string Keep(string folder, FuzzFailedException failure)
    {
        Directory.CreateDirectory(folder);
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(failure.Input).AsSpan(0, 6));
        var path = Path.Combine(folder, $"{failure.Message.Split(':')[0]}-{hash}");
        File.WriteAllBytes(path, failure.Input);
        return path;
    }
}
