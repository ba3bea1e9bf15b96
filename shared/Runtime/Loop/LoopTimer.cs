using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime;

/// <summary>A started timer; its place in the heap lets it leave at once when it is cancelled.</summary>
internal sealed class LoopTimer(TimerHeap heap, long dueMicros, long order, Action action) : ILoopTimer
{
    public long DueMicros { get; } = dueMicros;

    /// <summary>Timers due at the same time run in the order in which they were started.</summary>
    public long Order { get; } = order;

    public Action Action { get; } = action;

    public int Place { get; set; } = -1;

    public void Cancel() => heap.Remove(this);
}
