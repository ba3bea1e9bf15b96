using System.Runtime.CompilerServices;
using MirrorController.Protocol.Seams;

namespace MirrorController.Protocol.Nvm;

/// <summary>Writes bytes to the chip, reads back what matters of them, and writes again in place until they stand.</summary>
/// <remarks>
/// A transfer that failed, or whose end is doubtful, leaves undefined bytes: they are written again where they belong, never skipped, since a
/// hole would end the log. Pauses grow; after <see cref="RetriesMax"/> the chip has failed. Awaitable; the continuation runs in the
/// chip's completion, so a chip that ends its operations within the turn ends this within the turn. One use at a time; allocates nothing.
/// </remarks>
internal sealed class VerifiedWrite : ICompletion, ICriticalNotifyCompletion
{
    /// <summary>How often a transfer is tried again.</summary>
    public const int RetriesMax = 8;

    private const int FirstPauseMs = 2;

    private readonly ILoop _loop;
    private readonly INvm _chip;
    private readonly byte[] _readBack;
    private readonly Action _tryAgain;
    private Action? _continuation;
    private ReadOnlyMemory<byte> _data;
    private int _address;
    private int _verifyBytes;
    private int _retries;
    private bool _reading;
    private bool _ended;
    private string? _fault;

    public VerifiedWrite(ILoop loop, INvm chip)
    {
        _loop = loop;
        _chip = chip;
        _readBack = new byte[Math.Max(VolumeSuperblock.Size, BoardSuperblock.Size)];
        _tryAgain = Try;
    }

    /// <summary>Gets the bytes given to the chip so far, repetitions included.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>Gets the bytes written again so far.</summary>
    public long BytesRepeated { get; private set; }

    /// <summary>Gets whether the transfer has ended.</summary>
    public bool IsCompleted => _ended;

    /// <summary>Begins a write; await the result.</summary>
    /// <param name="address">The address; the range must lie within the chip.</param>
    /// <param name="data">The bytes; unchanged until the end.</param>
    /// <param name="verifyBytes">How many of them, from the first, are read back and compared.</param>
    public VerifiedWrite Run(int address, ReadOnlyMemory<byte> data, int verifyBytes)
    {
        Invariant.Check(_continuation is null, "one transfer at a time");
        Invariant.Check(address >= 0 && address + data.Length <= _chip.SizeBytes, "no write crosses the chip's end: the address would roll over onto the superblock");
        _address = address;
        _data = data;
        _verifyBytes = Math.Min(verifyBytes, data.Length);
        _retries = 0;
        _ended = false;
        _fault = null;
        Try();
        return this;
    }

    public VerifiedWrite GetAwaiter() => this;

    /// <summary>Gets the outcome.</summary>
    public IoStatus GetResult() => new(_fault);

    /// <inheritdoc/>
    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    /// <inheritdoc/>
    public void UnsafeOnCompleted(Action continuation) => _continuation = continuation;

    /// <inheritdoc/>
    public void Completed(IoStatus status)
    {
        if (!status.IsOk)
        {
            Again(status.Fault!);
        }
        else if (!_reading)
        {
            _reading = true;
            _chip.Read(_address, _readBack.AsMemory(0, _verifyBytes), this);
        }
        else if (!_readBack.AsSpan(0, _verifyBytes).SequenceEqual(_data.Span[.._verifyBytes]))
        {
            Again("what was read back is not what was written");
        }
        else
        {
            End(null);
        }
    }

    private void Try()
    {
        _reading = false;
        BytesWritten += _data.Length;
        if (_retries > 0)
        {
            BytesRepeated += _data.Length;
        }

        _chip.Write(_address, _data, this);
    }

    private void Again(string why)
    {
        if (_retries == RetriesMax)
        {
            End($"The memory chip ({_chip.Kind}) failed {RetriesMax + 1} times to write {_data.Length} bytes at address {_address}: {why}");
            return;
        }

        _retries++;
        _loop.StartTimer(FirstPauseMs << (_retries - 1), _tryAgain);
    }

    private void End(string? fault)
    {
        _fault = fault;
        _ended = true;
        var continuation = _continuation;
        _continuation = null;
        continuation?.Invoke();
    }
}
