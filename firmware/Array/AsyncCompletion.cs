using MirrorController.Protocol.Coordination;
using MirrorController.Protocol.Seams;

namespace MirrorController.Firmware.Array;

/// <summary>Lets a procedure await the end of an operation; its continuation comes through the loop's queue.</summary>
internal sealed class AsyncCompletion(ILoop loop) : ICompletion
{
    private readonly LoopCompletion<IoStatus> _source = new(loop);

    public Task<IoStatus> Task => _source.Task;

    public void Completed(IoStatus status) => _source.Complete(status);
}
