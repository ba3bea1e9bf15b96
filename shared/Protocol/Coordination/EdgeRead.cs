using MirrorController.Protocol.Blocks;
using MirrorController.Protocol.Seams;

namespace MirrorController.Protocol.Coordination;

/// <summary>A write that does not keep to blocks: its edge blocks are read under the lock, and the whole blocks are written (rule W1).</summary>
/// <remarks>The application's data is not copied: the new payload is made of the edges' parts and the application's slices.</remarks>
internal sealed class EdgeRead(Coordinator coordinator, WriteOp op, int blockBytes, int headBytes, int tailBytes) : IVolumeCompletion
{
    private Payload? _head;
    private Payload? _tail;
    private int _stage;

    /// <summary>Begins with the first edge that is needed.</summary>
    public void Start() => Next();

    public void Completed(VolumeError error, Payload? data)
    {
        if (error != VolumeError.None)
        {
            _head?.Release();
            coordinator.EdgesFailed(op, error);
            return;
        }

        data!.AddReference();
        if (_stage == 1)
        {
            _head = data;
        }
        else
        {
            _tail = data;
        }

        Next();
    }

    private void Next()
    {
        _stage++;
        if (_stage == 1)
        {
            if (headBytes > 0)
            {
                coordinator.ReadUnderLock(new BlockRange(op.Range.Start, 1), this);
                return;
            }

            _stage++;
        }

        if (_stage == 2)
        {
            if (tailBytes > 0 && !(op.Range.Count == 1 && _head is not null))
            {
                coordinator.ReadUnderLock(new BlockRange(op.Range.End - 1, 1), this);
                return;
            }
        }

        var whole = new Payload();
        if (headBytes > 0)
        {
            AppendPart(whole, _head!, 0, headBytes);
        }

        AppendPart(whole, op.Payload, 0, op.Payload.Length);
        if (tailBytes > 0)
        {
            AppendPart(whole, _tail ?? _head!, blockBytes - tailBytes, tailBytes);
        }

        _head?.Release();
        _tail?.Release();
        op.ReplacePayload(whole);
        coordinator.EdgesComplete(op);
    }

    private static void AppendPart(Payload whole, Payload from, int offset, int length)
    {
        var part = from.Part(offset, length);
        foreach (var slice in part.Slices)
        {
            whole.Append(slice);
        }

        part.Release();
    }
}
