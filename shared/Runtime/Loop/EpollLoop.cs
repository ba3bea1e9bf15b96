using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using MirrorController.Protocol.Seams;

namespace MirrorController.Runtime;

/// <summary>The loop on Linux: epoll, level-triggered, with an event counter to wake it.</summary>
[SupportedOSPlatform("linux")]
public sealed unsafe class EpollLoop : RuntimeLoop
{
    private const int EventsMax = 128;
    private const int VectorsMax = 256;
    private const int WakeSlot = -1;

    private readonly int _epoll;
    private readonly int _wake;
    private readonly byte* _events;
    private readonly LinuxCalls.IoVector* _vectors;
    private readonly Stack<int> _freeSlots = new();
    private PollSource?[] _slots = new PollSource?[16];
    private uint[] _generations = new uint[16];
    private int _slotsUsed;

    /// <summary>Makes a loop; <see cref="RuntimeLoop.Create"/> chooses for you.</summary>
    public EpollLoop(LoopOptions options)
        : base(options)
    {
        _epoll = LinuxCalls.EpollCreate(LinuxCalls.CloseOnExec);
        _wake = LinuxCalls.EventFd(0, LinuxCalls.CloseOnExec | LinuxCalls.NonBlocking);
        if (_epoll < 0 || _wake < 0)
        {
            throw new IOException("The system gives no epoll descriptor: " + Marshal.GetLastPInvokeErrorMessage() + ".");
        }

        _events = (byte*)NativeMemory.AllocZeroed((nuint)(EventsMax * LinuxCalls.EpollEvent.SizeBytes));
        _vectors = (LinuxCalls.IoVector*)NativeMemory.AllocZeroed(VectorsMax, (nuint)sizeof(LinuxCalls.IoVector));
        Control(LinuxCalls.EpollAdd, _wake, LinuxCalls.EpollIn, unchecked((uint)WakeSlot), 0);
    }

    internal override void InterestChanged(PollSource source)
    {
        if (source.Slot >= 0)
        {
            Control(LinuxCalls.EpollModify, source.Descriptor, Interest(source), (uint)source.Slot, _generations[source.Slot]);
        }
    }

    internal override int Receive(SocketConnection connection, Slice into, out SocketError error)
    {
        nint n;
        do
        {
            n = LinuxCalls.Receive(connection.Descriptor, Address(into), (nuint)into.Length, LinuxCalls.MessageDontWait);
        }
        while (n < 0 && Marshal.GetLastPInvokeError() == LinuxCalls.Interrupted);

        error = n < 0 ? LinuxCalls.ToSocketError(Marshal.GetLastPInvokeError()) : SocketError.Success;
        return (int)n;
    }

    internal override int Send(SocketConnection connection, SendQueue queue, out SocketError error)
    {
        var count = 0;
        for (; count < queue.Count && count < VectorsMax; count++)
        {
            var slice = queue[count];
            _vectors[count] = new LinuxCalls.IoVector { Base = Address(slice), Length = (nuint)slice.Length };
        }

        var message = new LinuxCalls.MessageHeader { Vectors = _vectors, VectorCount = (nuint)count };
        nint n;
        do
        {
            n = LinuxCalls.SendMessage(connection.Descriptor, &message, LinuxCalls.MessageNoSignal | LinuxCalls.MessageDontWait);
        }
        while (n < 0 && Marshal.GetLastPInvokeError() == LinuxCalls.Interrupted);

        error = n < 0 ? LinuxCalls.ToSocketError(Marshal.GetLastPInvokeError()) : SocketError.Success;
        return (int)n;
    }

    private protected override void AddSource(PollSource source)
    {
        if (!_freeSlots.TryPop(out var slot))
        {
            slot = _slotsUsed++;
            if (slot == _slots.Length)
            {
                System.Array.Resize(ref _slots, slot * 2);
                System.Array.Resize(ref _generations, slot * 2);
            }
        }

        _slots[slot] = source;
        source.Slot = slot;
        Control(LinuxCalls.EpollAdd, source.Descriptor, Interest(source), (uint)slot, _generations[slot]);
    }

    private protected override void RemoveSource(PollSource source)
    {
        Control(LinuxCalls.EpollDelete, source.Descriptor, 0, 0, 0);
        _slots[source.Slot] = null;
        // Events of this poll that still name the slot are not for its next owner.
        _generations[source.Slot]++;
        _freeSlots.Push(source.Slot);
        source.Slot = -1;
    }

    private protected override bool Poll(int timeoutMs)
    {
        var count = LinuxCalls.EpollWait(_epoll, _events, EventsMax, timeoutMs);
        if (count <= 0)
        {
            return false;
        }

        for (var i = 0; i < count; i++)
        {
            var (flags, slot, generation) = LinuxCalls.EpollEvent.Read(_events + (i * LinuxCalls.EpollEvent.SizeBytes));
            if (slot == unchecked((uint)WakeSlot))
            {
                ulong value;
                LinuxCalls.Read(_wake, &value, sizeof(ulong));
                WakeTaken();
                continue;
            }

            if (_generations[slot] == generation && _slots[slot] is { } source)
            {
                source.Ready(
                    (flags & LinuxCalls.EpollIn) != 0,
                    (flags & LinuxCalls.EpollOut) != 0,
                    (flags & (LinuxCalls.EpollError | LinuxCalls.EpollHangUp)) != 0);
            }
        }

        return true;
    }

    private protected override void SignalWake()
    {
        ulong one = 1;
        LinuxCalls.Write(_wake, &one, sizeof(ulong));
    }

    private protected override void YieldCore() => LinuxCalls.SchedYield();

    private protected override void DisposeBackend()
    {
        LinuxCalls.Close(_wake);
        LinuxCalls.Close(_epoll);
        NativeMemory.Free(_events);
        NativeMemory.Free(_vectors);
    }

    private static uint Interest(PollSource source) =>
        (source.WantsRead ? LinuxCalls.EpollIn : 0) | (source.WantsWrite ? LinuxCalls.EpollOut : 0);

    // A chunk's memory is pinned, so its address holds as long as the chunk is referenced.
    private static byte* Address(Slice slice) =>
        (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(slice.Chunk.Bytes)) + slice.Offset;

    private void Control(int operation, int descriptor, uint flags, uint slot, uint generation)
    {
        var buffer = stackalloc byte[LinuxCalls.EpollEvent.SizeBytes];
        LinuxCalls.EpollEvent.Write(buffer, flags, slot, generation);
        if (LinuxCalls.EpollControl(_epoll, operation, descriptor, buffer) != 0 && operation != LinuxCalls.EpollDelete)
        {
            throw new IOException("A socket cannot be waited for: " + Marshal.GetLastPInvokeErrorMessage() + ".");
        }
    }
}
