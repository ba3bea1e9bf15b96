namespace MirrorController.Runtime;

/// <summary>One blocking piece of work: done on a worker's thread, then finished on the loop's. May be used again and again.</summary>
public abstract class WorkerJob
{
    /// <summary>Makes a job, with its delegate for the way back made once.</summary>
    protected WorkerJob() => FinishAction = Finish;

    /// <summary>Gets <see cref="Finish"/> as the delegate to post.</summary>
    protected internal Action FinishAction { get; }

    /// <summary>Does the blocking part, on the worker's thread. What it throws is a bug and halts the loop.</summary>
    protected internal abstract void Work();

    /// <summary>Takes in the outcome, on the loop's thread.</summary>
    protected abstract void Finish();
}
