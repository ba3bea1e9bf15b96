using MirrorController.Protocol.Seams;
using MirrorController.Protocol.Tags;

namespace MirrorController.Protocol.Nvm;

/// <summary>What stands in the store's queue.</summary>
internal enum NvmQueueKind
{
    /// <summary>A record for the log.</summary>
    Record,

    /// <summary>Somebody waits for everything in front.</summary>
    Wait,

    /// <summary>A procedure that runs when everything in front is stored: a superblock, a start.</summary>
    Job,
}

/// <summary>An element of the store's queue.</summary>
internal struct NvmQueueItem
{
    public NvmQueueKind Kind;
    public RingRecord Record;
    public TagEntry? Entry;
    public ICompletion? Done;
    public Func<Task<IoStatus>>? Job;
    public TaskCompletionSource<IoStatus>? JobDone;
}

/// <summary>The store's queue: first in, first out, in an array that grows.</summary>
internal sealed class NvmQueue
{
    private NvmQueueItem[] _items = new NvmQueueItem[128];
    private int _head;

    /// <summary>Gets the number of elements.</summary>
    public int Count { get; private set; }

    /// <summary>Gets how many of them are waited for: waits and jobs.</summary>
    public int Demands { get; private set; }

    /// <summary>Gets the first element.</summary>
    public ref NvmQueueItem First => ref _items[_head];

    /// <summary>Adds an element at the end and returns it to be filled.</summary>
    public ref NvmQueueItem Add(NvmQueueKind kind)
    {
        if (Count == _items.Length)
        {
            var larger = new NvmQueueItem[Count * 2];
            for (var i = 0; i < Count; i++)
            {
                larger[i] = _items[(_head + i) & (Count - 1)];
            }

            _items = larger;
            _head = 0;
        }

        ref var item = ref _items[(_head + Count) & (_items.Length - 1)];
        Count++;
        item.Kind = kind;
        if (kind != NvmQueueKind.Record)
        {
            Demands++;
        }

        return ref item;
    }

    /// <summary>Removes the first element.</summary>
    public void RemoveFirst()
    {
        if (First.Kind != NvmQueueKind.Record)
        {
            Demands--;
        }

        First = default;
        _head = (_head + 1) & (_items.Length - 1);
        Count--;
    }
}
