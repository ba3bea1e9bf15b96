using System.Runtime.CompilerServices;

namespace MirrorController.Protocol.Nvm;

/// <summary>Lets one procedure sleep until there is work. Allocates nothing.</summary>
internal sealed class Wake : ICriticalNotifyCompletion
{
    private Action? _continuation;

    /// <summary>Gets false: who awaits this sleeps until the next <see cref="Signal"/>.</summary>
    public bool IsCompleted => false;

    public Wake GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation) => _continuation = continuation;

    /// <summary>Wakes the procedure if it sleeps.</summary>
    public void Signal()
    {
        var continuation = _continuation;
        _continuation = null;
        continuation?.Invoke();
    }
}
