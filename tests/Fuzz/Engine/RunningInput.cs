using System.IO.MemoryMappedFiles;

namespace MirrorController.Tests.Fuzz.Engine;

/// <summary>The input being looked at, in a mapped file: it outlives a process that an input has killed.</summary>
internal sealed class RunningInput : IDisposable
{
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly int _room;

    public RunningInput(FuzzTarget target)
    {
        // An input is at most twice as long as a target's longest one.
        _room = (2 * target.InputBytesMax) + 4096;
        _map = MemoryMappedFile.CreateFromFile(FuzzPlaces.Running(target), FileMode.Create, null, sizeof(int) + _room);
        _view = _map.CreateViewAccessor();
    }

    /// <summary>Reads what a dead process has left; null when it was between two inputs.</summary>
    public static byte[]? Left(FuzzTarget target)
    {
        var path = FuzzPlaces.Running(target);
        if (!File.Exists(path))
        {
            return null;
        }

        var bytes = File.ReadAllBytes(path);
        var length = BitConverter.ToInt32(bytes) - 1;
        return length < 0 || length > bytes.Length - sizeof(int) ? null : bytes.AsSpan(sizeof(int), length).ToArray();
    }

    public void Begin(byte[] input)
    {
        var n = Math.Min(input.Length, _room);
        _view.WriteArray(sizeof(int), input, 0, n);
        _view.Write(0, n + 1);
    }

    public void End() => _view.Write(0, 0);

    public void Dispose()
    {
        _view.Dispose();
        _map.Dispose();
    }
}
