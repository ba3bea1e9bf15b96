using System.Diagnostics;

namespace MirrorController.Tests.Fuzz;

/// <summary>Gives a target inputs and judges it: exceptions and memory here, time by whoever looks at <see cref="IsHanging"/>.</summary>
public sealed class FuzzRun(FuzzTarget target)
{
    /// <summary>How long one input may take, in milliseconds; what takes longer hangs.</summary>
    public const int HangMs = 20_000;

    private byte[]? _input;
    private long _startedAt;

    /// <summary>Gets how many inputs were decoded.</summary>
    public long Decoded { get; private set; }

    /// <summary>Gets how many inputs were refused.</summary>
    public long Refused { get; private set; }

    /// <summary>Gets the most that an input made the target allocate in bytes.</summary>
    public long AllocatedMax { get; private set; }

    /// <summary>Gets the input that is being looked at, for a watch on another thread; null between two of them.</summary>
    public byte[]? Current => Volatile.Read(ref _input);

    /// <summary>Gets whether an input has taken too long; asked on another thread.</summary>
    public bool IsHanging => Current is not null && Stopwatch.GetElapsedTime(Interlocked.Read(ref _startedAt)).TotalMilliseconds > HangMs;

    /// <summary>Gives the target an input.</summary>
    /// <returns>Whether it was decoded.</returns>
    /// <exception cref="FuzzFailedException">The target did what no input may make it do.</exception>
    public bool Take(byte[] input)
    {
        Interlocked.Exchange(ref _startedAt, Stopwatch.GetTimestamp());
        Volatile.Write(ref _input, input);
        var before = GC.GetAllocatedBytesForCurrentThread();
        bool decoded;
        try
        {
            decoded = target.Run(input);
        }
        catch (Exception e)
        {
            throw new FuzzFailedException(target, input, $"{e.GetType().Name}: {FirstLine(e.Message)}", e);
        }
        finally
        {
            Volatile.Write(ref _input, null);
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        var beyond = allocated - ((long)target.AllocationPerInputByte * input.Length);
        AllocatedMax = Math.Max(AllocatedMax, allocated);
        if (beyond > target.AllocationFixedBytes)
        {
            throw new FuzzFailedException(target, input, $"{allocated} bytes were allocated for {input.Length} bytes of input.");
        }

        Decoded += decoded ? 1 : 0;
        Refused += decoded ? 0 : 1;
        return decoded;
    }

    private static string FirstLine(string text) => text.Split('\n')[0];
}
