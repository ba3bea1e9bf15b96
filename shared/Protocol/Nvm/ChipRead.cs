using System.Runtime.CompilerServices;
using MirrorController.Protocol.Seams;

namespace MirrorController.Protocol.Nvm;

/// <summary>Reads from the chip, again and again while that fails, within bounds. Awaitable, one use at a time.</summary>
internal sealed class ChipRead(ILoop loop, INvm chip) : ICompletion, ICriticalNotifyCompletion
{
    private Action? _continuation;
    private Memory<byte> _into;
    private int _address;
    private int _retries;
    private bool _ended;
    private string? _fault;

    public bool IsCompleted => _ended;

    /// <summary>Begins to read; await the result.</summary>
    public ChipRead Run(int address, Memory<byte> into)
    {
        _address = address;
        _into = into;
        _retries = 0;
        _ended = false;
        _fault = null;
        chip.Read(address, into, this);
        return this;
    }

    public ChipRead GetAwaiter() => this;

    public IoStatus GetResult() => new(_fault);

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation) => _continuation = continuation;

    public void Completed(IoStatus status)
    {
        if (!status.IsOk && _retries < VerifiedWrite.RetriesMax)
        {
            _retries++;
            _ = loop.StartTimer(2 << _retries, () => chip.Read(_address, _into, this));
            return;
        }

        _fault = status.IsOk ? null : $"The memory chip ({chip.Kind}) failed {VerifiedWrite.RetriesMax + 1} times to read {_into.Length} bytes at address {_address}: {status.Fault}";
        _ended = true;
        var continuation = _continuation;
        _continuation = null;
        continuation?.Invoke();
    }
}
