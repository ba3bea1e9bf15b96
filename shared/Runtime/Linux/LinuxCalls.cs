using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace MirrorController.Runtime;

/// <summary>The kernel interfaces that .NET has no equal of. Their numbers are those of x86-64 and arm64, where they agree.</summary>
[SupportedOSPlatform("linux")]
internal static unsafe partial class LinuxCalls
{
    public const int CloseOnExec = 0x80000;
    public const int NonBlocking = 0x800;
    public const int EpollAdd = 1;
    public const int EpollDelete = 2;
    public const int EpollModify = 3;
    public const uint EpollIn = 0x1;
    public const uint EpollOut = 0x4;
    public const uint EpollError = 0x8;
    public const uint EpollHangUp = 0x10;
    public const int MessageDontWait = 0x40;
    public const int MessageNoSignal = 0x4000;
    public const int WriteDurably = 0x2;
    public const int Interrupted = 4;
    public const int TryAgain = 11;
    public const int BrokenPipe = 32;
    public const int NoSuchCall = 38;
    public const int NotSupported = 95;
    private const int NetworkUnreachable = 101;
    private const int ConnectionAborted = 103;
    private const int ConnectionReset = 104;
    private const int TimedOut = 110;
    private const int ConnectionRefused = 111;
    private const int HostUnreachable = 113;

    public static SocketError ToSocketError(int errno) => errno switch
    {
        TryAgain => SocketError.WouldBlock,
        BrokenPipe or ConnectionReset => SocketError.ConnectionReset,
        ConnectionAborted => SocketError.ConnectionAborted,
        TimedOut => SocketError.TimedOut,
        ConnectionRefused => SocketError.ConnectionRefused,
        HostUnreachable => SocketError.HostUnreachable,
        NetworkUnreachable => SocketError.NetworkUnreachable,
        _ => SocketError.SocketError,
    };

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(int epoll, int operation, int descriptor, byte* epollEvent);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, byte* events, int eventsMax, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int descriptor, void* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, void* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(int descriptor, byte* buffer, nuint count, int flags);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    public static partial nint SendMessage(int descriptor, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "sched_yield")]
    public static partial int SchedYield();

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int DataSync(SafeHandle file);

    [LibraryImport("libc", EntryPoint = "pwritev2", SetLastError = true)]
    public static partial nint WriteVectors(SafeHandle file, IoVector* vectors, int count, long offsetBytes, int flags);

    [StructLayout(LayoutKind.Sequential)]
    public struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary>An <c>epoll_event</c>: flags (4 bytes), then the owner's mark (8 bytes), which only x86-64 packs.</summary>
    public static class EpollEvent
    {
        public static readonly int SizeBytes = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
        private static readonly int _markOffset = SizeBytes - 8;

        public static void Write(byte* at, uint flags, uint slot, uint generation)
        {
            Unsafe.WriteUnaligned(at, flags);
            Unsafe.WriteUnaligned(at + _markOffset, slot | ((ulong)generation << 32));
        }

        public static (uint Flags, uint Slot, uint Generation) Read(byte* at)
        {
            var mark = Unsafe.ReadUnaligned<ulong>(at + _markOffset);
            return (Unsafe.ReadUnaligned<uint>(at), (uint)mark, (uint)(mark >> 32));
        }
    }
}
