using System.Runtime.ExceptionServices;
using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime;

/// <summary>A background thread that does blocking jobs one after another and hands each outcome back to the loop.</summary>
public sealed class Worker : IDisposable
{
    private readonly ILoop _loop;
    private readonly Queue<WorkerJob> _jobs = new();
    private readonly object _gate = new();
    private readonly Thread _thread;
    private bool _closed;

    /// <summary>Starts the thread.</summary>
    public Worker(ILoop loop, string name)
    {
        _loop = loop;
        _thread = new Thread(Work) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Queues a job; its <see cref="WorkerJob.Finish"/> runs on the loop later.</summary>
    public void Queue(WorkerJob job)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            _jobs.Enqueue(job);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Queues work given as two delegates, for what is rare.</summary>
    public void Queue(Action work, Action finish) => Queue(new DelegateJob(work, finish));

    /// <summary>Lets the thread end after the jobs already queued; does not wait for it.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Waits for the thread to end, after <see cref="Dispose"/>; false if it has not within the time.</summary>
    public bool WaitForEnd(int timeoutMs) => _thread.Join(timeoutMs);

    private void Work()
    {
        while (TryTake(out var job))
        {
            try
            {
                job.Work();
            }
            catch (Exception e)
            {
                var bug = ExceptionDispatchInfo.Capture(e);
                _loop.Post(bug.Throw);
                continue;
            }

            _loop.Post(job.FinishAction);
        }
    }

    private bool TryTake(out WorkerJob job)
    {
        lock (_gate)
        {
            while (_jobs.Count == 0)
            {
                if (_closed)
                {
                    job = null!;
                    return false;
                }

                Monitor.Wait(_gate);
            }

            job = _jobs.Dequeue();
            return true;
        }
    }

    private sealed class DelegateJob(Action work, Action finish) : WorkerJob
    {
        protected internal override void Work() => work();

        protected override void Finish() => finish();
    }
}
